"""Each client has its own FHIR servers, its own memory of them, and its tenant in what is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.app import build_parts, create_app
from cds_service.cds_hooks.clients import CdsClient
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord
from tests.builders import chart
from tests.builders.client_tokens import NOW, PUBLIC_URL, SERVICE, bearer, claims, ec_key, header, key_set, public_jwk
from tests.builders.raw_server import RawServer, answer, raw_server

NORTH, SOUTH = "https://north.example.org/fhir", "https://south.example.org/fhir"


@pytest.fixture
def fhir_servers() -> Iterator[dict[str, RawServer]]:
    """Two servers that have nothing to say; what matters is who is asked."""
    with raw_server(answer("404 Not Found")) as north, raw_server(answer("404 Not Found")) as south:
        yield {NORTH: north, SOUTH: south}


@pytest.fixture
def settings(tmp_path: Path, fhir_servers: dict[str, RawServer]) -> Settings:
    clients = ""
    for issuer, tenant in ((NORTH, "north"), (SOUTH, "south")):
        (tmp_path / f"{tenant}.json").write_bytes(key_set(public_jwk(ec_key(tenant))))
        clients += f'[[client]]\nissuer = "{issuer}"\njwks_file = "{tenant}.json"\ntenant = "{tenant}"\n'
        clients += f'fhir_servers = ["{fhir_servers[issuer].base}"]\n'
    (tmp_path / "clients.toml").write_text(clients, encoding="utf-8")
    return Settings(
        database_url=f"sqlite:///{tmp_path}/records.sqlite3",
        trusted_clients=tmp_path / "clients.toml",
        public_url=PUBLIC_URL,
        fhir_servers=(fhir_servers[NORTH].base,),
        pseudonym_key="synthetic-key-of-this-test",
    )


@pytest.fixture
def records() -> list[CallRecord]:
    return []


@pytest.fixture
def client(settings: Settings, records: list[CallRecord]) -> Iterator[FlaskClient]:
    with create_app(settings, clock=lambda: NOW, observers=(records.append,)).test_client() as test_client:
        yield test_client


def _call(client: FlaskClient, issuer: str, key: str, fhir_server: str, **prefetch: Any) -> TestResponse:
    signer = ec_key(key)
    authorization = bearer(header(kid=signer.kid), claims(iss=issuer), key=signer)
    body = chart.call(prefetch, fhirServer=fhir_server)
    return client.post(SERVICE, json=body, headers={"Authorization": authorization})


def test_a_client_has_its_own_fhir_servers_called_and_no_others(
    client: FlaskClient, fhir_servers: dict[str, RawServer]
) -> None:
    for issuer, key in ((NORTH, "north"), (SOUTH, "south")):
        for owner, server in fhir_servers.items():
            before = server.connections
            told = _call(client, issuer, key, server.base)
            assert told.status_code == 412
            assert (server.connections > before) == (owner == issuer)
            refused = "is not one that this service may call" in told.get_data(as_text=True)
            assert refused == (owner != issuer)


def test_a_final_slash_of_the_public_url_changes_no_audience_and_no_link(
    settings: Settings, fhir_servers: dict[str, RawServer]
) -> None:
    slashed = Settings(**settings.model_dump() | {"public_url": PUBLIC_URL + "//"})
    with create_app(slashed, clock=lambda: NOW).test_client() as client:
        low = chart.prefetch([{"wbc": 0.9, "date": chart.moment(1, as_of=NOW)}])
        told = _call(client, NORTH, "north", fhir_servers[NORTH].base, **low)
        assert told.status_code == 200
        (card,) = told.get_json()["cards"]
        assert card["source"]["url"] == PUBLIC_URL + "/about"


def test_a_clients_key_signs_for_no_other_client(client: FlaskClient, records: list[CallRecord]) -> None:
    assert _call(client, SOUTH, "north", "https://x.example.org/fhir").status_code == 401
    assert records[-1].refusal_reason == "unknown-key"
    assert records[-1].client == CdsClient()


def test_the_site_servers_of_unauthenticated_times_are_nobodys(
    settings: Settings, fhir_servers: dict[str, RawServer]
) -> None:
    (review,) = build_parts(settings).services
    anyone = review.fhir(CdsClient())  # type: ignore[attr-defined]
    assert anyone.open(fhir_servers[NORTH].base, None, None) is None


def test_what_one_client_learned_of_a_server_is_not_another_clients(settings: Settings) -> None:
    (review,) = build_parts(settings).services
    clients = (CdsClient(NORTH, "north"), CdsClient(SOUTH, "south"))
    north, south = (review.fhir(client) for client in clients)  # type: ignore[attr-defined]
    assert north.memory is not south.memory
    assert north.memory is review.fhir(clients[0]).memory  # type: ignore[attr-defined]


def test_each_record_names_client_and_tenant(client: FlaskClient, records: list[CallRecord]) -> None:
    for issuer, key in ((NORTH, "north"), (SOUTH, "south")):
        _call(client, issuer, key, "https://x.example.org/fhir")
        assert records[-1].client == CdsClient(issuer, key)
