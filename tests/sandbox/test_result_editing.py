"""What is typed into the editor becomes what a laboratory would have sent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.knowledge.loader import load_knowledge
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.result_editing import EditRefused, add_result, change_result, editable_results

KNOWLEDGE = load_knowledge(None)
UNIT = {"unit": "10*3/uL", "system": "http://unitsofmeasure.org", "code": "10*3/uL"}
SAVED = {"value": "88", "unit": "10*3/uL", "when": "2026-06-01", "status": "final"}


@pytest.fixture
def store() -> FhirStore:
    """One patient's platelet count of 88, marked low by the laboratory; another patient's beside it."""
    store = FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))
    for patient in ("ida", "other"):
        store.put(
            {
                "resourceType": "Observation",
                "id": f"{patient}-plt",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "777-3", "display": "Platelets"}]},
                "subject": {"reference": f"Patient/{patient}"},
                "effectiveDateTime": "2026-06-01",
                "valueQuantity": {
                    "value": 88,
                    "unit": "10*3/uL",
                    "system": "http://unitsofmeasure.org",
                    "code": "10*3/uL",
                },
                "interpretation": [{"text": "low"}],
            }
        )
    return store


def changed(store: FhirStore, **typed: str) -> dict[str, Any]:
    change_result(store, "ida", "ida-plt", SAVED | typed)
    return store.read("Observation", "ida-plt")


@pytest.mark.parametrize(
    ("typed", "member", "stored"),
    [
        ("12", "valueQuantity", {"value": 12} | UNIT),
        ("1.5", "valueQuantity", {"value": 1.5} | UNIT),
        ("<5", "valueQuantity", {"value": 5, "comparator": "<"} | UNIT),
        (">=5", "valueQuantity", {"value": 5, "comparator": ">="} | UNIT),
        ("clumped", "valueString", "clumped 10*3/uL"),
        ("1,5", "valueString", "1,5 10*3/uL"),
        ("true", "valueString", "true 10*3/uL"),
    ],
)  # fmt: skip
def test_a_value_is_stored_as_it_would_be_sent(store: FhirStore, typed: str, member: str, stored: object) -> None:
    result = changed(store, value=typed)
    assert result[member] == stored
    assert [name for name in result if name.startswith("value")] == [member]
    assert "interpretation" not in result, "the laboratory's word was about the old value"


def test_nothing_typed_is_an_absent_value(store: FhirStore) -> None:
    result = changed(store, value="")
    assert "valueQuantity" not in result
    assert result["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_a_unit_that_is_emptied_is_missing_not_guessed(store: FhirStore) -> None:
    assert changed(store, unit="")["valueQuantity"] == {"value": 88}


def test_another_date_or_status_keeps_the_rest(store: FhirStore) -> None:
    before = store.read("Observation", "ida-plt")
    result = changed(store, status="entered-in-error", when="2026-05-01")
    assert (result["status"], result["effectiveDateTime"]) == ("entered-in-error", "2026-05-01")
    assert {k: v for k, v in result.items() if k not in ("status", "effectiveDateTime", "meta")} == {
        k: v for k, v in before.items() if k not in ("status", "effectiveDateTime", "meta")
    }


def test_a_result_is_deleted(store: FhirStore) -> None:
    change_result(store, "ida", "ida-plt", SAVED | {"delete": "yes"})
    assert editable_results(store, "ida") == ()
    assert len(editable_results(store, "other")) == 1


@pytest.mark.parametrize(("result", "typed"), [("other-plt", {}), ("gone", {}), ("ida-plt", {"status": "perfect"})])
def test_what_isnt_this_patients_or_isnt_a_status_is_refused(
    store: FhirStore, result: str, typed: dict[str, str]
) -> None:
    with pytest.raises(EditRefused):
        change_result(store, "ida", result, SAVED | typed)
    assert editable_results(store, "other")[0].value == "88"


def test_a_result_is_added_and_shown(store: FhirStore) -> None:
    typed = {
        "test": "http://loinc.org|6690-2",
        "value": "2.9",
        "unit": "10*9/L",
        "when": "2026-06-02",
        "status": "final",
    }
    add_result(store, "ida", typed, KNOWLEDGE)
    newest = editable_results(store, "ida")[0]
    assert (newest.value, newest.unit, newest.when) == ("2.9", "10*9/L", "2026-06-02")
    with pytest.raises(EditRefused):
        add_result(store, "ida", typed | {"test": "http://loinc.org|unknown"}, KNOWLEDGE)
