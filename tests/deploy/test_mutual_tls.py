"""nginx with mutual TLS switched on, in front of a real `serve`: who gets through, and what arrives."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import requests

from cds_service.client_authentication.signing import Call, PrivateKey, make_key, public_key_set, sign_token
from tests.builders import chart
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.client_tokens import ISSUER, PUBLIC_URL, SERVICE, trusting
from tests.builders.gateway import Gateway, gateway
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
SWITCHED_ON = [(f"# {line}", line) for line in ("ssl_client_certificate", "include cytopenia-cds/mutual-tls.conf")]


@dataclass(frozen=True)
class Door:
    """nginx before the service, and the key of a client that the service trusts."""

    gateway: Gateway
    service: Served
    key: PrivateKey

    def call(self, certificate: str | None, body: bytes | None = None) -> requests.Response:
        """Call the service with a right token, and with a client's certificate or none."""
        token = sign_token(self.key, Call(ISSUER, PUBLIC_URL + SERVICE), datetime.now(UTC))
        sent = body or json.dumps(chart.call(chart.prefetch([]), hookInstance=str(uuid.uuid4()))).encode()
        return requests.post(
            self.gateway.url + SERVICE,
            data=sent,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            cert=str(self.gateway.folder / certificate) if certificate else None,
            verify=self.gateway.trusted,
            timeout=20,
        )


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder, key = tmp_path_factory.mktemp("service"), make_key("ES384")
    with (
        serving(folder, **trusting(folder, keys=public_key_set(key).encode())) as service,
        gateway(tmp_path_factory.mktemp("gateway"), service.url.removeprefix("http://"), changes=SWITCHED_ON) as before,
    ):
        yield Door(before, service, key)


def test_the_ehrs_certificate_and_token_together_are_answered(door: Door) -> None:
    answer = door.call("ehr.pem")
    assert answer.status_code == 200, answer.text
    assert_response_conforms(answer.json())
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_certificate_replaces_no_token(door: Door) -> None:
    certificate = str(door.gateway.folder / "ehr.pem")
    answer = requests.get(f"{door.gateway.url}/cds-services", cert=certificate, verify=door.gateway.trusted, timeout=20)
    assert answer.status_code == 401


@pytest.mark.parametrize(("certificate", "status"), [(None, 400), ("stranger.pem", 400), ("printer.pem", 403)], ids=str)
def test_others_are_refused_before_the_service_hears_of_them(door: Door, certificate: str | None, status: int) -> None:
    heard = len(door.service.lines)
    answer = door.call(certificate)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert_operation_outcome(answer.json())
    assert len(door.service.lines) == heard


def test_whoever_is_let_in_keeps_to_the_limits_too(door: Door) -> None:
    answer = door.call("ehr.pem", body=b" " * (16 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert_operation_outcome(answer.json())
