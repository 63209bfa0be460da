"""Criteria 1, "Set aside": the first rule failed, in the order of the section, gives the reason."""

from typing import Any

import pytest

from cds_service.fhir_reading.quantities import number
from tests.builders.fhir import LOINC, WBC, WBC_IN_URINE, concept, observation, outcome, read

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("invalid-resource", {"modifierExtension": [{"url": "urn:x"}]}),
    ("contradictory-codes", {"code": {"coding": [{"system": LOINC, "code": code} for code in (WBC, WBC_IN_URINE)]}}),
    ("other-patient", {"subject": {"reference": "Patient/other"}}),
    ("status-not-final", {"status": "preliminary"}),
    ("not-blood", {"specimen": {"display": "CSF"}}),
    ("value-and-data-absent", {"dataAbsentReason": concept("x")}),
    ("unit-not-a-count", {"valueQuantity": {"value": 3, "unit": "mg/dL"}}),
    ("date-imprecise", {"effectiveDateTime": "2026"}),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_the_first_rule_failed_gives_the_reason(first: int) -> None:
    elements: dict[str, Any] = {}
    for _, fault in FAULTS[first:]:
        elements |= fault
    assert outcome(read(observation() | elements)) == FAULTS[first][0]


READABLE = {"invalid-resource", "contradictory-codes", "value-and-data-absent", "unit-not-a-count"}


@pytest.mark.parametrize(("reason", "fault"), FAULTS)
def test_one_fault_alone_is_unreadable_where_all_else_is_told(reason: str, fault: dict[str, Any]) -> None:
    (aside,) = read(observation() | fault).set_aside
    assert (aside.reason, aside.unreadable) == (reason, reason in READABLE)


@pytest.mark.parametrize("further", [fault for reason, fault in FAULTS if reason not in READABLE])
def test_a_fault_is_not_unreadable_where_it_may_not_concern_the_patients_blood(further: dict[str, Any]) -> None:
    """Whose, status, specimen and date are asked whatever the first rule failed was."""
    for reason, fault in FAULTS:
        if reason in READABLE and not fault.keys() & further.keys():
            (aside,) = read(observation() | fault | further).set_aside
            assert not aside.unreadable


def test_truth_is_no_number() -> None:
    assert number(True) is number("3") is number(None) is number(float("nan")) is None
