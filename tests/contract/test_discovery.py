"""Discovery, its prefetch templates, and the methods of each endpoint (DISC, PFT, HTTP rows)."""

import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from tests.builders.cds_contract import assert_no_null_or_empty, assert_operation_outcome
from tests.builders.conversation import FEEDBACK, SERVICE, post, valid_call

DEFINED = {"hook", "hookVersion", "id", "title", "description", "prefetch", "usageRequirements", "version"}
TOKEN = re.compile(r"{{(.*?)}}")
SEARCH_PARAMETERS = {"patient", "code", "category", "_sort", "_count"}


@pytest.fixture
def services(client: FlaskClient) -> list[dict[str, Any]]:
    answer = client.get("/cds-services")
    assert answer.status_code == 200, "DISC-1"
    assert answer.mimetype == "application/json", "JSON-1"
    assert_no_null_or_empty(answer.get_json())
    listed: list[dict[str, Any]] = answer.get_json()["services"]
    return listed


def test_disc_1_to_17_each_entry_is_complete_and_callable(client: FlaskClient, services: list[dict[str, Any]]) -> None:
    assert services, "DISC-2: something is offered"
    for entry in services:
        assert set(entry) == DEFINED, "DISC-3 to DISC-8, DISC-13: all members that help, and none undefined"
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", entry["id"]), "DISC-5"
        assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", entry["version"]), "DISC-9"
        assert (entry["hook"], entry["hookVersion"]) == ("patient-view", "1.0"), "DISC-10, DISC-16"
        assert post(client, valid_call(), f"/cds-services/{entry['id']}").status_code == 200, "DISC-11"
        told = entry["title"] + entry["description"] + entry["usageRequirements"]
        assert not re.search(r"<[a-zA-Z/!]", told), "DISC-17"
    pairs = Counter((entry["id"], entry["hook"]) for entry in services)
    assert max(pairs.values()) == 1, "DISC-12"


def test_disc_15_discovery_is_stable(client: FlaskClient) -> None:
    assert client.get("/cds-services").data == client.get("/cds-services").data


def test_pft_1_to_14_every_client_can_fill_the_templates(services: list[dict[str, Any]]) -> None:
    for template in (template for entry in services for template in entry["prefetch"].values()):
        assert TOKEN.findall(template), "PFT-13: bound to the context"
        assert set(TOKEN.findall(template)) <= {"context.patientId", "context.userId"}, "PFT-2, PFT-3, PFT-4"
        rest = TOKEN.sub("x", template)
        assert not set("{}") & set(rest), "PFT-1: balanced"
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/x|\?[^?#]+)", rest), "PFT-5: a read or a search"
        parameters = parse_qsl(template.partition("?")[2], strict_parsing=False)
        names = [name for name, _ in parameters]
        assert len(names) == len(set(names)), "PFT-12: no parameter twice"
        assert set(names) <= SEARCH_PARAMETERS, "PFT-6, PFT-7, PFT-8, PFT-14: equality, _sort and _count only"
        if template.startswith("Observation?"):
            assert {"code", "category"} & set(names), "PFT-11: the minimum necessary"


def test_http_1_head_is_get_without_a_body(client: FlaskClient) -> None:
    answer = client.head("/cds-services")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == client.get("/cds-services").headers["Content-Length"]


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("POST", "/cds-services", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/cds-services", {"GET", "HEAD", "OPTIONS"}),
        ("GET", SERVICE, {"POST", "OPTIONS"}),
        ("PUT", SERVICE, {"POST", "OPTIONS"}),
        ("DELETE", SERVICE, {"POST", "OPTIONS"}),
        ("PATCH", SERVICE, {"POST", "OPTIONS"}),
        pytest.param("GET", FEEDBACK, {"POST", "OPTIONS"}, id="FB-18"),
    ],
)
def test_http_2_a_method_not_offered_is_405_with_allow(
    client: FlaskClient, method: str, url: str, allowed: set[str]
) -> None:
    answer = client.open(url, method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert_operation_outcome(answer.get_json(force=True))


@pytest.mark.parametrize("url", ["/cds-services", SERVICE, FEEDBACK])
def test_http_3_options_without_cors_tells_the_methods(client: FlaskClient, url: str) -> None:
    answer = client.options(url)
    assert answer.status_code == 200
    assert "OPTIONS" in answer.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_final_slash_does_not_hide_an_endpoint(client: FlaskClient) -> None:
    assert client.get("/cds-services/").status_code == 200
    assert post(client, valid_call(), SERVICE + "/").status_code == 200
