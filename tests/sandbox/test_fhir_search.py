"""What a FHIR search on the sandbox's server finds: parameters in, ids out, over real WSGI requests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore

LOINC, SNOMED, LOCAL = "http://loinc.org", "http://snomed.info/sct", "urn:example:lab"


def observation(resource_id: str, loinc: str, **more: object) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/anna"},
        **more,
    }


LAB = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]
RESOURCES: list[dict[str, object]] = [
    {
        "resourceType": "Patient",
        "id": "anna",
        "active": True,
        "name": [{"family": "Árvíz", "given": ["Anna"]}],
        "birthDate": "1971-05-02",
    },
    {
        "resourceType": "Patient",
        "id": "ben",
        "identifier": [{"system": "urn:example:mrn", "value": "7,8"}],
        "name": [{"family": "Berg", "given": ["Ben"]}],
        "birthDate": "1980",
    },
    observation("w1", "6690-2", effectiveDateTime="2026-03-01T08:00:00+02:00", category=LAB),
    observation("w2", "6690-2", effectiveDateTime="2026-03-10", category=LAB, status="amended"),
    observation("w3", "26464-8", effectiveDateTime="2026-04"),
    observation("p1", "777-3", effectivePeriod={"start": "2026-03-01", "end": "2026-03-02"}),
    observation(
        "panel",
        "58410-2",
        effectiveInstant="2026-05-01T10:00:00Z",
        component=[{"code": {"coding": [{"system": LOINC, "code": "6690-2"}]}}],
    ),
    observation("local", "x", code={"coding": [{"code": "6690-2"}, {"system": LOCAL, "code": "WBC"}]}),
    observation("bens", "6690-2", subject={"reference": "Patient/ben"}, effectiveDateTime="2026-03-05"),
    observation("foreign", "6690-2", subject={"reference": "https://other.example/fhir/Patient/anna"}),
    {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": SNOMED, "code": "19943007"}]},
        "subject": {"reference": "Patient/anna"},
        "recordedDate": "2025-01-01",
        "onsetDateTime": "2024-06",
    },
    {
        "resourceType": "Condition",
        "id": "c2",
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
        "code": {"text": "sore throat"},
        "subject": {"reference": "Patient/anna"},
        "recordedDate": "2025-03-01",
    },
    {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/anna"},
        "authoredOn": "2026-01-05",
    },
]


def json_of(answer: TestResponse) -> Any:
    return json.loads(answer.data)


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    store = FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))
    for resource in RESOURCES:
        store.put(resource)
    app = Flask(__name__)
    app.register_blueprint(create_fhir_blueprint(store), url_prefix="/sandbox/fhir")
    return app.test_client()


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


SEARCHES = [
    ("Observation?patient=anna", "local p1 panel w1 w2 w3"),
    ("Observation?patient=Patient/anna&code=777-3", "p1"),
    ("Observation?subject=Patient/ben", "bens"),
    ("Observation?subject:Patient=ben", "bens"),
    ("Observation?patient=http://localhost/sandbox/fhir/Patient/ben", "bens"),
    ("Observation?patient=nobody", ""),
    (f"Observation?patient=anna&code={LOINC}|6690-2", "w1 w2"),
    (f"Observation?patient=anna&code={LOINC}|6690-2,{LOINC}|26464-8,{LOINC}|777-3", "p1 w1 w2 w3"),
    ("Observation?patient=anna&code=6690-2", "local w1 w2"),
    ("Observation?patient=anna&code=|6690-2", "local"),
    (f"Observation?patient=anna&code={LOCAL}|", "local"),
    ("Observation?patient=anna&code:not=6690-2", "p1 panel w3"),
    ("Observation?patient=anna&component-code=6690-2", "panel"),
    ("Observation?patient=anna&combo-code=6690-2", "local panel w1 w2"),
    ("Observation?patient=anna&category=laboratory", "w1 w2"),
    ("Observation?patient=anna&category:missing=true", "local p1 panel w3"),
    ("Observation?status=amended", "w2"),
    ("Observation?status=http://hl7.org/fhir/observation-status|amended", "w2"),
    ("Observation?_id=w1,w3", "w1 w3"),
    ("Patient?identifier=urn:example:mrn|7\\,8", "ben"),
    ("Patient?identifier=urn:example:mrn|7,8", ""),
    ("Observation?_lastUpdated=2026-06-01&_id=w1", "w1"),
    # dates: a date is the range it covers
    ("Observation?patient=anna&date=2026-03-01", "w1"),
    ("Observation?patient=anna&date=2026-03", "p1 w1 w2"),
    ("Observation?patient=anna&date=2026", "p1 panel w1 w2 w3"),
    ("Observation?patient=anna&date=ne2026-03", "panel w3"),
    ("Observation?patient=anna&date=ge2026-03-10", "panel w2 w3"),
    ("Observation?patient=anna&date=gt2026-03-10", "panel w3"),
    ("Observation?patient=anna&date=le2026-03-01", "p1 w1"),
    ("Observation?patient=anna&date=lt2026-03-01", ""),
    ("Observation?patient=anna&date=lt2026-03-01T06:00:01Z", "p1 w1"),
    ("Observation?patient=anna&date=2026-03-01T08:00:00%2B02:00", "w1"),
    ("Observation?patient=anna&date=2026-03-01T08:00:00+02:00", "w1"),
    ("Observation?patient=anna&date=sa2026-03-01", "panel w2 w3"),
    ("Observation?patient=anna&date=eb2026-03-10", "p1 w1"),
    ("Observation?patient=anna&date=ap2026-03-09", "w2"),
    ("Observation?patient=anna&date=ge2026-03-02&date=lt2026-04-01", "p1 w2"),
    ("Observation?patient=anna&date:missing=true", "local"),
    # order: what has no date comes last, ids settle ties
    ("Observation?patient=anna&_sort=date", "p1 w1 w2 w3 panel local"),
    ("Observation?patient=anna&_sort=-date", "panel w3 w2 p1 w1 local"),
    ("Observation?patient=anna&_sort=status,-date", "w2 panel w3 p1 w1 local"),
    ("Condition?patient=anna&clinical-status=active", "c1"),
    ("Condition?patient=anna&clinical-status=active,resolved", "c1 c2"),
    ("Condition?patient=anna&_sort=-recorded-date", "c2 c1"),
    ("Condition?patient=anna&_sort=onset-date", "c1 c2"),
    (f"Condition?code={SNOMED}|19943007", "c1"),
    ("MedicationRequest?patient=anna&status=active,completed&_sort=-authoredon", "m1"),
    ("MedicationRequest?patient=anna&authoredon=ge2026-01-01", "m1"),
    ("Patient?name=berg", "ben"),
    ("Patient?family:exact=berg", ""),
    ("Patient?given:contains=NN", "anna"),
    ("Patient?active=true", "anna"),
    ("Patient?birthdate=lt1975", "anna"),
    # unknown parameters are passed over unless strictness is asked for
    ("Observation?patient=ben&frobnicate=1", "bens"),
    ("Observation?patient=ben&code=", "bens"),
]


@pytest.mark.parametrize(("query", "expected"), SEARCHES, ids=[query for query, _ in SEARCHES])
def test_search_finds(client: FlaskClient, query: str, expected: str) -> None:
    answer = client.get(f"/sandbox/fhir/{query}")
    assert answer.status_code == 200
    assert answer.content_type == "application/fhir+json"
    found = ids(json_of(answer))
    assert (found if "_sort" in query else sorted(found)) == expected.split()
    assert json_of(answer)["total"] == len(expected.split())


@pytest.mark.parametrize(("query", "expected"), SEARCHES[:12], ids=[query for query, _ in SEARCHES[:12]])
def test_post_search_finds_the_same(client: FlaskClient, query: str, expected: str) -> None:
    resource_type, _, form = query.partition("?")
    answer = client.post(
        f"/sandbox/fhir/{resource_type}/_search", data=form, content_type="application/x-www-form-urlencoded"
    )
    assert sorted(ids(json_of(answer))) == expected.split()


@pytest.mark.parametrize(
    "query",
    [
        "Observation?date=yesterday",
        "Observation?date=ge2026-13",
        "Observation?code:in=http://x",
        "Observation?_count=-1",
    ],
)
def test_what_cant_be_meant_is_refused_as_an_operation_outcome(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/sandbox/fhir/{query}")
    assert answer.status_code == 400
    assert json_of(answer)["resourceType"] == "OperationOutcome"
    assert json_of(answer)["issue"][0]["diagnostics"]


@pytest.mark.parametrize("resource_type", ["Basic", "Frobnication", "observation"])
def test_a_type_that_is_not_offered_is_refused_rather_than_empty(client: FlaskClient, resource_type: str) -> None:
    refused = client.get(f"/sandbox/fhir/{resource_type}?_id=1")
    assert refused.status_code == 404
    assert json_of(refused)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("query", ["Observation?frobnicate=1", "Observation?_sort=frobnicate"])
def test_strict_handling_refuses_unknown_parameters(client: FlaskClient, query: str) -> None:
    assert client.get(f"/sandbox/fhir/{query}").status_code == 200
    strict = client.get(f"/sandbox/fhir/{query}", headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400
    assert "frobnicate" in json_of(strict)["issue"][0]["diagnostics"]


def test_the_self_link_says_which_parameters_were_used(client: FlaskClient) -> None:
    bundle = json_of(client.get("/sandbox/fhir/Observation?patient=ben&frobnicate=1"))
    link = next(link["url"] for link in bundle["link"] if link["relation"] == "self")
    assert link == "http://localhost/sandbox/fhir/Observation?patient=ben"


@pytest.mark.parametrize("ask", ["_summary=count", "_count=0"])
def test_a_count_has_a_total_and_no_entries(client: FlaskClient, ask: str) -> None:
    bundle = json_of(client.get(f"/sandbox/fhir/Observation?patient=anna&{ask}"))
    assert bundle["total"] == 6
    assert "entry" not in bundle


def pages(client: FlaskClient, url: str, between: Callable[[], object]) -> list[list[str]]:
    seen = []
    for _ in range(10):
        bundle = json_of(client.get(url))
        seen.append(ids(bundle))
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            return seen
        url = following[0]
        between()
    raise AssertionError("the next links never end")


def test_pages_neither_repeat_nor_lose_a_result_while_others_write(client: FlaskClient) -> None:
    def write() -> None:
        client.put("/sandbox/fhir/Observation/a-new", json=observation("a-new", "6690-2"))

    seen = pages(client, "/sandbox/fhir/Observation?patient=anna&_sort=-date&_count=4", between=write)
    client.delete("/sandbox/fhir/Observation/a-new")
    assert seen == [["panel", "w3", "w2", "p1"], ["w1", "local"]]


def test_a_page_that_is_no_longer_kept_is_gone(client: FlaskClient) -> None:
    assert client.get("/sandbox/fhir/Observation?_page=never&_from=4").status_code == 410
