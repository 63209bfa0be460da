"""Criteria 3, medications: which count, from when until when, and what the drug is."""

from datetime import date
from typing import Any

import pytest

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.releases import Release
from tests.builders.fhir import concept, read, resource
from tests.builders.knowledge import shipped_knowledge
from tests.builders.releases import as_release

RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
METHOTREXATE = "L01BA01"
BY_ATC = concept(METHOTREXATE, system=ATC)


def request(**elements: Any) -> dict[str, Any]:
    built = {"status": "active", "intent": "order", "medicationCodeableConcept": BY_ATC}
    return resource("MedicationRequest", **(built | elements))


def bounds(**period: str) -> dict[str, Any]:
    return {"timing": {"repeat": {"boundsPeriod": period}}}


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@pytest.mark.parametrize(
    ("elements", "stands"),
    [
        ({}, True),
        ({"status": "completed"}, True),
        ({"status": "stopped"}, True),
        ({"intent": "original-order"}, True),
        ({"doNotPerform": False}, True),
        ({"status": "draft"}, False),
        ({"status": "on-hold"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
        ({"status": "unknown"}, False),
        ({"status": None}, False),
        ({"intent": "proposal"}, False),
        ({"intent": "plan"}, False),
        ({"intent": None}, False),
        ({"doNotPerform": True}, False),
        ({"doNotPerform": "no"}, False),
        ({"subject": {"reference": "Patient/other"}}, False),
        ({"subject": None}, False),
    ],
)
def test_which_requests_count(elements: dict[str, Any], stands: bool) -> None:
    assert bool(read(request(**elements)).medications) is stands


@pytest.mark.parametrize(
    ("elements", "start", "end", "current"),
    [
        ({}, None, None, True),
        ({"authoredOn": "2026-05-01T10:00:00Z"}, "2026-05-01", None, True),
        ({"authoredOn": "2026-05"}, None, None, True),
        (
            {"authoredOn": "2026-05-01", "dosageInstruction": [bounds(start="2026-05-03")]},
            "2026-05-03",
            None,
            True,
        ),
        (
            {"dosageInstruction": [bounds(start="2026-05-09", end="2026-05-12"), bounds(start="2026-05-03")]},
            "2026-05-03",
            "2026-05-12",
            False,
        ),
        ({"dosageInstruction": [bounds(end="2026-06-15")]}, None, "2026-06-15", True),
        (
            {"dispenseRequest": {"validityPeriod": {"start": "2026-01-01", "end": "2026-06-14"}}},
            None,
            "2026-06-14",
            False,
        ),
        (
            {
                "dispenseRequest": {"validityPeriod": {"end": "2026-07-01"}},
                "dosageInstruction": [bounds(end="2026-05-01")],
            },
            None,
            "2026-07-01",
            True,
        ),
        ({"status": "completed", "authoredOn": "2026-05-01"}, "2026-05-01", "2026-05-01", False),
        ({"status": "stopped", "authoredOn": "2026-05-01"}, "2026-05-01", "2026-05-01", False),
        (
            {"status": "completed", "authoredOn": "2026-05-01", "dosageInstruction": [bounds(end="2026-05-20")]},
            "2026-05-01",
            "2026-05-20",
            False,
        ),
        ({"status": "completed"}, None, None, False),
        ({"status": "completed", "dosageInstruction": [bounds(start="2026-05-03")]}, "2026-05-03", "2026-05-03", False),
        (
            {"status": "stopped", "authoredOn": "2026-05-01", "dosageInstruction": [bounds(start="2026-05-03")]},
            "2026-05-03",
            "2026-05-03",
            False,
        ),
        ({"dosageInstruction": {"timing": "daily"}, "dispenseRequest": [], "authoredOn": 5}, None, None, True),
    ],
)
def test_from_when_until_when(elements: dict[str, Any], start: str | None, end: str | None, current: bool) -> None:
    (medication,) = read(request(**elements)).medications
    assert (medication.start, medication.end, medication.current) == (day(start), day(end), current)


def test_every_day_that_the_record_names() -> None:
    (medication,) = read(
        request(
            authoredOn="2026-05-01",
            dosageInstruction=[bounds(start="2026-05-03", end="2026-05-20")],
            dispenseRequest={"validityPeriod": {"start": "2026-04-30", "end": "2026-06-01"}},
        )
    ).medications
    named = [each.isoformat() for each in medication.dates]
    assert named == ["2026-04-30", "2026-05-01", "2026-05-03", "2026-05-20", "2026-06-01"]


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize(
    ("sent", "start", "end", "current"),
    [
        (
            resource("MedicationStatement", status="active", effectivePeriod={"start": "2026-05-01"}),
            "2026-05-01",
            None,
            True,
        ),
        (
            resource(
                "MedicationStatement", status="completed", effectivePeriod={"start": "2026-04-01", "end": "2026-05-01"}
            ),
            "2026-04-01",
            "2026-05-01",
            False,
        ),
        (resource("MedicationStatement", status="active", dateAsserted="2026-05-02"), "2026-05-02", None, True),
        (
            resource("MedicationAdministration", status="completed", effectiveDateTime="2026-05-01T10:00:00Z"),
            "2026-05-01",
            "2026-05-01",
            False,
        ),
        (
            resource("MedicationAdministration", status="in-progress", effectivePeriod={"start": "2026-06-15"}),
            "2026-06-15",
            None,
            True,
        ),
    ],
)
def test_statements_and_administrations(
    sent: dict[str, Any], start: str, end: str | None, current: bool, release: Release
) -> None:
    (medication,) = read(as_release(sent | {"medicationCodeableConcept": BY_ATC}, release)).medications
    assert (medication.start, medication.end, medication.current) == (day(start), day(end), current)
    assert medication.matches


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize(
    ("resource_type", "status"),
    [
        ("MedicationStatement", "not-taken"),
        ("MedicationStatement", "intended"),
        ("MedicationAdministration", "not-done"),
        ("MedicationAdministration", "active"),
    ],
)
def test_what_was_not_taken_or_given_is_none(resource_type: str, status: str, release: Release) -> None:
    sent = resource(resource_type, status=status, medicationCodeableConcept=BY_ATC)
    assert read(as_release(sent, release)).medications == ()


def groups(*sent: dict[str, Any] | Entry) -> list[str]:
    (medication,) = read(*sent).medications
    return sorted(match.group for match in medication.matches)


def named(text: str) -> list[str]:
    return sorted(match.group for match in shipped_knowledge().causes.match_drug_name(text))


MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "Methotrexate 2.5 mg tablet"}}


@pytest.mark.parametrize(
    "elements",
    [
        {"medicationCodeableConcept": {"text": "Methotrexate 2.5 mg"}},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:x", "code": "1", "display": "METHOTREXATE tab"}]}},
        {
            "medicationCodeableConcept": {
                "coding": [{"system": RXNORM, "code": "000", "display": "methotrexate 2.5 MG"}]
            }
        },
        {"medicationReference": {"display": "methotrexate"}},
        {"medicationReference": {"reference": "#m1"}, "contained": [MEDICATION]},
    ],
)
def test_a_name_is_searched_where_no_code_is_known(elements: dict[str, Any]) -> None:
    assert named("methotrexate")
    sent = (
        request(medicationCodeableConcept=None, **elements)
        if "medicationReference" in elements
        else request(**elements)
    )
    assert groups(sent) == named("methotrexate")
    assert read(sent).unmapped_medications == 0


def test_a_known_code_forbids_the_search_by_name() -> None:
    sent = request(medicationCodeableConcept=BY_ATC | {"text": "clozapine"})
    by_code = sorted(match.group for match in shipped_knowledge().causes.match_codings(((ATC, METHOTREXATE),)))
    assert groups(sent) == by_code
    assert groups(request(medicationCodeableConcept={"text": "clozapine"})) == named("clozapine")


@pytest.mark.parametrize("reference", ["Medication/m1", "Medication/m1/_history/1", "urn:uuid:m"])
def test_a_medication_sent_beside_the_request(reference: str) -> None:
    medication = Entry({"resourceType": "Medication", "id": "m1", "code": BY_ATC}, "urn:uuid:m")
    sent = request(medicationCodeableConcept=None, medicationReference={"reference": reference})
    assert groups(medication, sent)


def test_the_ingredients_of_a_medication_count() -> None:
    contained = {"resourceType": "Medication", "id": "m1", "ingredient": [{"itemCodeableConcept": BY_ATC}]}
    sent = request(medicationCodeableConcept=None, medicationReference={"reference": "#m1"}, contained=[contained])
    assert groups(sent)


@pytest.mark.parametrize(
    ("elements", "unmapped"),
    [
        ({"medicationCodeableConcept": concept("7", system="urn:local")}, 1),
        ({"medicationCodeableConcept": None}, 1),
        ({"medicationCodeableConcept": {"text": "vitamin drops"}}, 1),
        ({"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/unknown"}}, 1),
        ({"modifierExtension": [{"url": "urn:x"}]}, 1),
        ({"medicationCodeableConcept": concept("999999", system=RXNORM)}, 0),
    ],
)
def test_drugs_not_understood_are_counted(elements: dict[str, Any], unmapped: int) -> None:
    picture = read(request(**elements))
    assert picture.unmapped_medications == unmapped
    assert picture.medications[0].matches == ()


@pytest.mark.parametrize(
    ("elements", "display"),
    [
        ({"medicationCodeableConcept": {"text": "Drops"}}, "Drops"),
        ({"medicationCodeableConcept": BY_ATC}, METHOTREXATE),
        ({"medicationCodeableConcept": None, "medicationReference": {"display": "By mouth"}}, "By mouth"),
        ({"medicationCodeableConcept": None}, ""),
    ],
)
def test_what_the_record_calls_it(elements: dict[str, Any], display: str) -> None:
    assert read(request(**elements)).medications[0].display == display
