"""Criteria 3, conditions: which stand, when they began, what is counted as not understood."""

from datetime import date
from typing import Any

import pytest

from cds_service.hematology.clinical_picture import Use
from tests.builders.fhir import SNOMED, concept, read, resource

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
LEUKEMIA = concept("C92.00", system=ICD10CM, text="AML")
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def condition(**elements: Any) -> dict[str, Any]:
    return resource("Condition", **({"code": LEUKEMIA} | elements))


def verification(code: str) -> dict[str, Any]:
    return {"verificationStatus": concept(code, system=VERIFICATION)}


def clinical(code: str) -> dict[str, Any]:
    return {"clinicalStatus": concept(code, system=CLINICAL)}


@pytest.mark.parametrize(
    "elements",
    [
        {},
        *(verification(code) for code in ("confirmed", "provisional", "unconfirmed")),
        *(clinical(code) for code in ("active", "recurrence", "relapse")),
        {"clinicalStatus": {"text": "Active"}},
        {"clinicalStatus": {}, "verificationStatus": {"text": ""}},
        {"abatementDateTime": "2026-06-16"},
        {"abatementDateTime": "2027"},
        {"abatementPeriod": {"start": "2026-07"}},
        {"abatementString": ""},
        {"onsetString": "long ago", "severity": "severe", "nonsense": None},
    ],
)
def test_it_stands(elements: dict[str, Any]) -> None:
    picture = read(condition(**elements))
    (recorded,) = picture.conditions
    assert (recorded.reference, recorded.display) == ("Condition/r1", "AML")
    (match,) = recorded.matches
    assert (match.group, match.use, match.code) == ("hematologic-malignancy", Use.EVIDENCE, "C92.00")
    assert picture.unmapped_conditions == 0


@pytest.mark.parametrize(
    "elements",
    [
        *(verification(code) for code in ("refuted", "entered-in-error", "differential")),
        *(clinical(code) for code in ("inactive", "remission", "resolved", "unknown")),
        {"clinicalStatus": {"text": "Resolved"}},
        {"clinicalStatus": {"coding": [{"code": "active"}, {"code": "resolved"}]}},
        {"abatementDateTime": "2026-06-15"},
        {"abatementDateTime": "2026"},
        {"abatementDateTime": "once"},
        {"abatementDateTime": 5},
        {"abatementPeriod": {"start": "2026-05-01", "end": "2027-05-01"}},
        {"abatementPeriod": {"end": "2026-05-01"}},
        {"abatementPeriod": "2026"},
        {"abatementString": "last year"},
        {"abatementAge": {"value": 40, "unit": "a"}},
        {"subject": {"reference": "Patient/other"}},
        {"subject": None},
    ],
)
def test_it_does_not_stand(elements: dict[str, Any]) -> None:
    picture = read(condition(**elements))
    assert picture.conditions == ()
    assert picture.unmapped_conditions == 0


@pytest.mark.parametrize(
    "elements",
    [
        {"code": concept("123", system="urn:oid:1.2.3")},
        {"code": {"text": "Leukemia"}},
        {"code": None},
        {"code": "C92.0"},
        {"clinicalStatus": concept("7", system="urn:local")},
        {"clinicalStatus": "odd"},
        {"verificationStatus": [concept("confirmed"), concept("refuted")]},
        {"modifierExtension": [{"url": "urn:negated", "valueBoolean": True}]},
    ],
)
def test_what_is_not_understood_is_counted_never_taken_for_absent(elements: dict[str, Any]) -> None:
    picture = read(condition(**elements))
    assert picture.unmapped_conditions == 1
    assert [recorded.matches for recorded in picture.conditions] == [()]


def test_a_known_system_without_a_match_is_understood() -> None:
    picture = read(condition(code=concept("38341003", system=SNOMED)))
    assert (picture.unmapped_conditions, picture.conditions[0].matches) == (0, ())


def test_all_codings_of_a_condition_are_looked_at() -> None:
    code = {"coding": [{"system": "urn:oid:1.2.3", "code": "x"}, *LEUKEMIA["coding"]]}
    picture = read(condition(code=code))
    assert picture.conditions[0].display == "x"
    assert picture.conditions[0].matches
    assert picture.unmapped_conditions == 0


@pytest.mark.parametrize(
    ("elements", "onset", "recorded"),
    [
        ({"onsetDateTime": "2026-05-20T10:00:00Z"}, "2026-05-20", None),
        ({"onsetPeriod": {"start": "2026-05-20"}}, "2026-05-20", None),
        ({"recordedDate": "2026-05-21"}, None, "2026-05-21"),
        ({"onsetDateTime": "2026-05-20", "recordedDate": "2026-05-21"}, "2026-05-20", "2026-05-21"),
        ({"onsetDateTime": "2019", "recordedDate": "2026-05-21"}, None, None),
        ({"onsetAge": {"value": 40}, "recordedDate": "2026-05-21"}, None, "2026-05-21"),
        ({"recordedDate": "2026-05"}, None, None),
        ({"onsetDateTime": 5, "recordedDate": {}}, None, None),
        ({}, None, None),
    ],
)
def test_dates_are_precise_to_the_day_or_none(
    elements: dict[str, Any], onset: str | None, recorded: str | None
) -> None:
    (read_one,) = read(condition(**elements)).conditions
    assert read_one.onset == (onset and date.fromisoformat(onset))
    assert read_one.recorded == (recorded and date.fromisoformat(recorded))


def test_ten_conditions_one_of_them_odd() -> None:
    sent = [condition(id=str(number)) for number in range(9)]
    assert len(read(*sent, condition(code=[[5]])).conditions) == 10
