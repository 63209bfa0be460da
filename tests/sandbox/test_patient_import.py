"""Bundles as people have them: every type is taken, what can't be taken is said in a line and changes nothing."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.patient_import import ImportRefused, import_bundle

PATIENT = {"resourceType": "Patient", "name": [{"text": "Ida Imported"}], "birthDate": "1970-01-01"}
RESULT = {
    "resourceType": "Observation",
    "id": "count",
    "subject": {"reference": "urn:uuid:p"},
    "effectiveDateTime": "2019-05-06T08:00:00Z",
}


@pytest.fixture
def store() -> FhirStore:
    return FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))


def bundle(kind: str, *entries: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)}).encode()


def entries(kind: str) -> list[dict[str, Any]]:
    request = {"request": {"method": "POST", "url": "Any"}} if kind in ("transaction", "batch") else {}
    return [{"fullUrl": "urn:uuid:p", "resource": PATIENT} | request, {"resource": RESULT} | request]


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset", "document"])
def test_every_type_of_bundle_is_taken_with_its_references(store: FhirStore, kind: str) -> None:
    (patient,) = import_bundle(store, bundle(kind, *entries(kind)))
    assert store.read("Observation", "count")["subject"] == {"reference": f"Patient/{patient}"}
    assert store.read("Observation", "count")["effectiveDateTime"] == "2019-05-06T08:00:00Z"


def test_dates_are_moved_so_that_the_newest_result_is_of_the_day(store: FhirStore) -> None:
    import_bundle(store, bundle("collection", *entries("collection")), date(2026, 6, 1))
    assert store.read("Observation", "count")["effectiveDateTime"] == "2026-06-01T08:00:00Z"


def test_importing_again_replaces(store: FhirStore) -> None:
    told = bundle("collection", {"resource": PATIENT | {"id": "ida"}}, {"resource": RESULT})
    assert import_bundle(store, told) == import_bundle(store, told) == ["ida"]
    assert len(store.all("Observation")) == 1


REFUSED = [
    (b"", "isn’t JSON"),
    (b"<Bundle/>", "isn’t JSON"),
    (b"[]", "no FHIR Bundle"),
    (json.dumps(PATIENT).encode(), "no FHIR Bundle"),
    (b'{"resourceType": "Bundle"}', "no Patient"),
    (b'{"resourceType": "Bundle", "entry": {}}', "a list"),
    (b'{"resourceType": "Bundle", "entry": [1]}', "a list"),
    (bundle("collection", {"resource": RESULT}), "no Patient"),
    (bundle("collection", {"resource": PATIENT}, {"resource": {"resourceType": "x y"}}), "can’t be stored"),
    (bundle("collection", {"resource": PATIENT | {"id": "a/b"}}), "can’t be stored"),
    (bundle("collection", {"resource": PATIENT | {"id": 7}}, {"resource": {}}), "can’t be stored"),
]


@pytest.mark.parametrize(("data", "says"), REFUSED)
def test_what_cant_be_taken_is_said_and_changes_nothing(store: FhirStore, data: bytes, says: str) -> None:
    with pytest.raises(ImportRefused, match=says):
        import_bundle(store, data)
    assert store.all("Patient") == ()
