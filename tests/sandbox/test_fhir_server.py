"""The sandbox's FHIR server beyond search: reading, writing, transactions, errors, CORS."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore

FHIR = "/sandbox/fhir"


def json_of(answer: TestResponse) -> Any:
    return json.loads(answer.data)


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    store = FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))
    app.register_blueprint(create_fhir_blueprint(store), url_prefix=FHIR)
    return app.test_client()


def put(resource_type: str, resource_id: str, **more: object) -> dict[str, object]:
    return {
        "resource": {"resourceType": resource_type, "id": resource_id, **more},
        "request": {"method": "PUT", "url": f"{resource_type}/{resource_id}"},
    }


def bundle(*entries: dict[str, object], kind: str = "transaction") -> dict[str, object]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_what_is_put_can_be_read_with_its_version(client: FlaskClient) -> None:
    patient = {"resourceType": "Patient", "id": "a", "meta": {"profile": ["http://example.org/p"]}}
    assert client.put(f"{FHIR}/Patient/a", json=patient).status_code == 201
    again = client.put(f"{FHIR}/Patient/a", json=patient)
    assert (again.status_code, again.headers["Location"]) == (200, f"http://localhost{FHIR}/Patient/a")
    read = client.get(f"{FHIR}/Patient/a")
    assert read.headers["ETag"] == 'W/"2"'
    assert json_of(read)["meta"]["profile"] == ["http://example.org/p"]


def test_post_gives_a_new_id_and_delete_forgets(client: FlaskClient) -> None:
    created = client.post(f"{FHIR}/Patient", json={"resourceType": "Patient"})
    url = created.headers["Location"]
    assert json_of(client.get(url))["id"] == json_of(created)["id"]
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


def test_a_transaction_resolves_references_between_its_entries(client: FlaskClient) -> None:
    loaded = client.post(
        FHIR,
        json=bundle(
            {
                "fullUrl": "urn:uuid:one",
                "resource": {"resourceType": "Patient"},
                "request": {"method": "POST", "url": "Patient"},
            },
            {"fullUrl": "urn:uuid:two", **put("Observation", "o", subject={"reference": "urn:uuid:one"})},
            put("DiagnosticReport", "d", result=[{"reference": "urn:uuid:two"}], note="urn:uuid:two"),
        ),
    )
    assert (loaded.status_code, json_of(loaded)["type"]) == (200, "transaction-response")
    patient = json_of(loaded)["entry"][0]["response"]["location"]
    assert client.get(f"{FHIR}/{patient}").status_code == 200
    assert json_of(client.get(f"{FHIR}/Observation/o"))["subject"] == {"reference": patient}
    report = json_of(client.get(f"{FHIR}/DiagnosticReport/d"))
    assert report["result"] == [{"reference": "Observation/o"}]
    assert report["note"] == "urn:uuid:two"


def test_a_transaction_that_fails_leaves_nothing_behind(client: FlaskClient) -> None:
    broken = put("Patient", "b") | {"request": {"method": "PATCH", "url": "Patient/b"}}
    refused = client.post(f"{FHIR}/", json=bundle(put("Patient", "a"), broken))
    assert refused.status_code == 400
    assert "Bundle.entry[1]" in json_of(refused)["issue"][0]["diagnostics"]
    assert client.get(f"{FHIR}/Patient/a").status_code == 404


def test_a_batch_does_what_it_can(client: FlaskClient) -> None:
    broken: dict[str, object] = {"resource": {"resourceType": "Patient"}}
    done = json_of(client.post(f"{FHIR}/", json=bundle(put("Patient", "a"), broken, kind="batch")))
    assert [entry["response"]["status"] for entry in done["entry"]] == ["201", "400"]
    assert done["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"


BAD: list[tuple[str, str, Any, int]] = [
    ("POST", "", {"resourceType": "Bundle", "type": "collection"}, 400),
    ("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": "x"}, 400),
    ("POST", "/Patient", {"resourceType": "Observation"}, 400),
    ("PUT", "/Patient/a", {"resourceType": "Patient", "id": "b"}, 400),
    ("PUT", "/Patient/a", [1], 400),
    ("PUT", "/Patient/a b", {"resourceType": "Patient", "id": "a b"}, 400),
    ("GET", "/Patient/none", None, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD)
def test_errors_are_operation_outcomes(client: FlaskClient, method: str, path: str, body: Any, status: int) -> None:
    answer = client.open(f"{FHIR}{path}", method=method, json=body)
    assert answer.status_code == status
    assert json_of(answer)["resourceType"] == "OperationOutcome"


def test_a_body_that_is_no_json_is_refused(client: FlaskClient) -> None:
    assert client.put(f"{FHIR}/Patient/a", data=b"{", content_type="application/fhir+json").status_code == 400


def test_browsers_of_any_origin_may_use_it(client: FlaskClient) -> None:
    preflight = client.options(f"{FHIR}/Observation/_search", headers={"Origin": "https://sandbox.example"})
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert client.get(f"{FHIR}/Patient/none").headers["Access-Control-Allow-Origin"] == "*"


def test_the_capability_statement_names_what_search_knows(client: FlaskClient) -> None:
    statement = json_of(client.get(f"{FHIR}/metadata"))
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    observation = next(r for r in statement["rest"][0]["resource"] if r["type"] == "Observation")
    assert {"patient", "code", "date", "category", "status"} <= {p["name"] for p in observation["searchParam"]}
