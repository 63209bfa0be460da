"""STU3 and R5 resources are read as what R4 would have said; the releases' own models tell what differs."""

import re
from datetime import date
from importlib import import_module
from itertools import product
from typing import Any

import pytest

from cds_service.fhir_reading import medications
from cds_service.fhir_reading.conditions import CONDITION
from cds_service.fhir_reading.observations import OBSERVATION
from cds_service.fhir_reading.patients import PATIENT
from cds_service.fhir_reading.release_marks import ONLY_IN, release_told_by
from cds_service.fhir_reading.releases import MODELS, Release
from tests.builders.fhir import CBC_PANEL, PLT, concept, observation, outcome, quantity, read, resource
from tests.builders.releases import OTHERS, as_release

STU3, R4, R4B, R5 = Release
ATC = "http://www.whocc.no/atc"
METHOTREXATE = concept("L01BA01", system=ATC)
LEUKEMIA = concept("C92.00", system="http://hl7.org/fhir/sid/icd-10-cm")
TELLS_R5 = resource("MedicationRequest", id="m", medication={"concept": METHOTREXATE}, status="draft")


def elements_of(release: Release, type_name: str) -> dict[str, str]:
    """A model's elements and their types, as far as releases can be compared."""
    model = getattr(import_module(f"{MODELS[release]}.{type_name.lower()}"), type_name)
    return {
        name: re.sub(r"fhir\.resources(\.\w+)?\.\w+\.|typing\.|fhir_core\.types\.", "", str(field.annotation))
        for name, field in model.model_fields.items()
    }


# --- What differs: the table against the models ---------------------------------------------------------------------

KNOWN_OTHERWISE = {
    (STU3, "Observation"): {"effectiveInstant", "valueInteger"},
    (STU3, "Condition"): {"clinicalStatus", "verificationStatus", "recordedDate"},
    (STU3, "MedicationRequest"): {"doNotPerform"},
    (R5, "Condition"): {"clinicalStatus"},  # required
}
SHAPES = (OBSERVATION, CONDITION, PATIENT, *medications.SHAPES.values())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape.resource_type))
@pytest.mark.parametrize("release", OTHERS)
def test_what_is_validated_differs_only_where_it_is_known_to(release: Release, shape: Any) -> None:
    ours, r4 = elements_of(release, shape.resource_type), elements_of(R4, shape.resource_type)
    differing = {name for name in shape.elements if ours.get(name) != r4[name]}
    assert differing == KNOWN_OTHERWISE.get((release, shape.resource_type), set())


@pytest.mark.parametrize("type_name", ["Quantity", "CodeableConcept", "Coding", "Period", "Reference"])
def test_the_parts_of_what_is_read_are_the_same_in_every_release(type_name: str) -> None:
    read_here = {"value", "comparator", "unit", "system", "code", "display", "text", "coding", "start", "end"}
    of_each = [elements_of(release, type_name) for release in Release]
    assert [{name: each[name] for name in read_here & each.keys()} for each in of_each] == [
        {name: of_each[1][name] for name in read_here & of_each[1].keys()}
    ] * len(of_each)


@pytest.mark.parametrize("resource_type", sorted(ONLY_IN))
def test_an_element_that_tells_a_release_is_of_no_other(resource_type: str) -> None:
    for name, told in ONLY_IN[resource_type].items():
        having = {release for release in Release if name in elements_of(release, resource_type)}
        assert having == {told}, name


# --- Which release a resource is of -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (observation(), None),
        (observation(comment="ok"), STU3),
        (observation(comment=""), None),
        (observation(triggeredBy=[{"type": "reflex"}]), R5),
        (resource("Condition", clinicalStatus="active"), STU3),
        (resource("Condition", verificationStatus="confirmed"), STU3),
        (resource("Condition", verificationStatus="confirmed") | {"participant": None}, STU3),
        (resource("Condition", clinicalStatus=concept("active")), None),
        (resource("MedicationStatement", taken="y"), STU3),
        (resource("MedicationAdministration", occurenceDateTime="2026-06-01"), R5),
        (resource("MedicationRequest", medication={"concept": {"text": "x"}}), R5),
        (resource("MedicationRequest", medicationCodeableConcept={"text": "x"}), None),
        (resource("Encounter", comment="ok"), None),
    ],
)
def test_the_shape_tells_the_release(sent: dict[str, Any], told: Release | None) -> None:
    assert release_told_by(sent) is told


UNKNOWN = resource("Condition", code=LEUKEMIA, clinicalStatus=concept("unknown"))


@pytest.mark.parametrize(
    ("beside", "site", "stands"),
    [
        ([], None, False),
        ([TELLS_R5], None, True),
        ([TELLS_R5, observation(comment="ok")], None, False),
        ([], R5, True),
        ([TELLS_R5], R4, False),
        ([], STU3, False),
    ],
)
def test_where_the_shape_does_not_tell_the_site_or_the_other_resources_do(
    beside: list[dict[str, Any]], site: Release | None, stands: bool
) -> None:
    """R5 requires a clinical status, so that its `unknown` is R4's none; in R4 it is a status that doesn't stand."""
    assert bool(read(*beside, UNKNOWN, release=site).conditions) is stands


@pytest.mark.parametrize(("site", "shaped"), list(product(Release, Release)))
def test_a_wrong_setting_loses_nothing_whose_shape_tells(site: Release, shaped: Release) -> None:
    sent = [
        resource("Condition", code=LEUKEMIA, clinicalStatus=concept("active"), verificationStatus=concept("confirmed")),
        resource("MedicationRequest", status="active", intent="order", medicationCodeableConcept=METHOTREXATE),
        observation(PLT, note=[{"text": "platelet clumps"}]),
    ]
    picture = read(*(as_release(one, shaped) for one in sent), release=site)
    assert picture.conditions[0].matches
    assert picture.medications[0].matches
    assert picture.counts[0].clumped


# --- Conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "stands"),
    [
        ({"clinicalStatus": "active", "verificationStatus": "confirmed"}, True),
        ({"clinicalStatus": "recurrence", "verificationStatus": "provisional"}, True),
        ({"verificationStatus": "unknown"}, True),
        ({"clinicalStatus": "active", "abatementBoolean": False}, True),
        ({"clinicalStatus": "inactive"}, False),
        ({"clinicalStatus": "remission"}, False),
        ({"clinicalStatus": "resolved"}, False),
        ({"verificationStatus": "refuted"}, False),
        ({"verificationStatus": "differential"}, False),
        ({"verificationStatus": "entered-in-error"}, False),
        ({"clinicalStatus": "active", "abatementBoolean": True}, False),
        ({"clinicalStatus": "active", "abatementBoolean": "perhaps"}, False),
    ],
)
def test_stu3_conditions_that_stand(elements: dict[str, Any], stands: bool) -> None:
    picture = read(resource("Condition", code=LEUKEMIA, **elements))
    assert bool(picture.conditions) is stands
    assert picture.unmapped_conditions == 0
    assert all(condition.matches for condition in picture.conditions)


@pytest.mark.parametrize("elements", [{"clinicalStatus": "odd"}, {"clinicalStatus": "active", "verificationStatus": 5}])
def test_a_stu3_status_that_is_not_understood_is_counted(elements: dict[str, Any]) -> None:
    assert read(resource("Condition", code=LEUKEMIA, **elements)).unmapped_conditions == 1


def test_stu3_asserted_date_is_the_day_of_record() -> None:
    (condition,) = read(resource("Condition", code=LEUKEMIA, assertedDate="2026-05-02")).conditions
    assert condition.recorded == date(2026, 5, 2)


# --- Medications ------------------------------------------------------------------------------------------------------


def drug(resource_type: str, **elements: Any) -> dict[str, Any]:
    return resource(resource_type, medication={"concept": METHOTREXATE}, **elements)


def stu3_drug(resource_type: str, **elements: Any) -> dict[str, Any]:
    return resource(resource_type, medicationCodeableConcept=METHOTREXATE, **elements)


def adherence(code: str) -> dict[str, Any]:
    return {
        "adherence": {"code": concept(code, system="http://hl7.org/fhir/CodeSystem/medication-statement-adherence")}
    }


RECORDED = {"status": "recorded", "effectivePeriod": {"start": "2026-05-01"}}


@pytest.mark.parametrize(
    ("sent", "current"),
    [
        (stu3_drug("MedicationStatement", status="active", taken="y"), True),
        (stu3_drug("MedicationStatement", status="active", taken="unk"), True),
        (stu3_drug("MedicationStatement", status="active", taken="na"), True),
        (stu3_drug("MedicationStatement", status="completed", taken="y"), False),
        (stu3_drug("MedicationStatement", status="active", taken="n"), None),
        (stu3_drug("MedicationStatement", status="active", taken="odd"), None),
        (stu3_drug("MedicationStatement", status="active", taken=["y"]), None),
        (stu3_drug("MedicationStatement", status="intended", taken="y"), None),
        (stu3_drug("MedicationAdministration", status="in-progress", notGiven=False), True),
        (stu3_drug("MedicationAdministration", status="completed", notGiven=False), False),
        (stu3_drug("MedicationAdministration", status="completed", notGiven=True), None),
        (stu3_drug("MedicationAdministration", status="completed", notGiven="odd"), None),
        (stu3_drug("MedicationRequest", status="active", intent="instance-order", context={"reference": "E/1"}), True),
        (stu3_drug("MedicationRequest", status="active", intent="plan", context={"reference": "E/1"}), None),
        (drug("MedicationRequest", status="active", intent="order"), True),
        (drug("MedicationRequest", status="ended", intent="order"), False),
        (drug("MedicationRequest", status="completed", intent="order"), False),
        (drug("MedicationRequest", status="active", intent="order", doNotPerform=True), None),
        (drug("MedicationRequest", status="cancelled", intent="order"), None),
        (drug("MedicationStatement", **RECORDED), True),
        (drug("MedicationStatement", **RECORDED, **adherence("taking-not-as-directed")), True),
        (drug("MedicationStatement", **RECORDED, **adherence("unknown")), True),
        (drug("MedicationStatement", **RECORDED, **adherence("stopped-as-directed")), False),
        (drug("MedicationStatement", **RECORDED, **adherence("not-taking")), None),
        (drug("MedicationStatement", **RECORDED, **adherence("on-hold-as-directed")), None),
        (drug("MedicationStatement", **RECORDED, adherence="odd"), None),
        (drug("MedicationStatement", status="draft"), None),
        (drug("MedicationStatement", status="entered-in-error"), None),
        (drug("MedicationAdministration", status="completed", occurenceDateTime="2026-05-01T08:00:00Z"), False),
        (drug("MedicationAdministration", status="not-done", occurenceDateTime="2026-05-01"), None),
    ],
)
def test_which_medications_count_and_which_go_on(sent: dict[str, Any], current: bool | None) -> None:
    picture = read(sent)
    assert [medication.current for medication in picture.medications] == ([] if current is None else [current])
    assert all(medication.matches for medication in picture.medications)


@pytest.mark.parametrize(
    ("sent", "start", "end"),
    [
        (
            drug(
                "MedicationStatement", status="recorded", effectivePeriod={"start": "2026-04-01", "end": "2026-05-01"}
            ),
            date(2026, 4, 1),
            date(2026, 5, 1),
        ),
        (
            drug("MedicationAdministration", status="completed", occurencePeriod={"start": "2026-05-01"}),
            date(2026, 5, 1),
            date(2026, 5, 1),
        ),
        (
            drug("MedicationRequest", status="active", intent="order", effectiveDosePeriod={"end": "2026-05-09"}),
            None,
            date(2026, 5, 9),
        ),
        (
            stu3_drug("MedicationStatement", status="active", taken="y", dateAsserted="2026-05-02"),
            date(2026, 5, 2),
            None,
        ),
    ],
)
def test_from_when_until_when(sent: dict[str, Any], start: date | None, end: date | None) -> None:
    (medication,) = read(sent).medications
    assert (medication.start, medication.end) == (start, end)


@pytest.mark.parametrize("medication", [{"code": METHOTREXATE}, {"ingredient": [{"item": {"concept": METHOTREXATE}}]}])
@pytest.mark.parametrize("is_contained", [True, False])
def test_an_r5_medication_by_reference(medication: dict[str, Any], is_contained: bool) -> None:
    drug_resource = {"resourceType": "Medication", "id": "m1", **medication}
    reference = {"reference": "#m1" if is_contained else "Medication/m1"}
    elements = {"status": "active", "intent": "order", "medication": {"reference": reference}}
    sent = resource("MedicationRequest", **elements, **({"contained": [drug_resource]} if is_contained else {}))
    assert read(sent, drug_resource).medications[0].matches


@pytest.mark.parametrize("medication", ["methotrexate", {}, {"concept": 5}, {"reference": {"reference": 7}}, [[]]])
def test_an_r5_medication_that_can_not_be_read_is_counted(medication: Any) -> None:
    picture = read(resource("MedicationRequest", status="active", intent="order", medication=medication))
    assert picture.unmapped_medications == 1


# --- Observations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"bodyStructure": {"display": "Pleural fluid"}}, "not-blood"),
        ({"bodyStructure": {"display": "Left arm"}}, "2.9"),
        ({"bodyStructure": {"display": "Left arm"}, "bodySite": {"text": "Bone marrow"}}, "not-blood"),
        ({"bodyStructure": 5}, "2.9"),
        ({"valueQuantity": None, "valueInteger": 3}, "value-not-a-quantity unreadable"),
        ({"valueQuantity": None, "valueReference": {"reference": "x"}}, "value-not-a-quantity unreadable"),
        ({"valueQuantity": quantity(3, comparator="ad"), "triggeredBy": [{}]}, "comparator-unsupported unreadable"),
        ({"triggeredBy": [{"type": "re-run"}], "instantiatesCanonical": "urn:x"}, "2.9"),
        ({"comment": "hemolysed", "context": {"reference": "Encounter/1"}}, "2.9"),
        ({"comment": 5, "related": "odd"}, "2.9"),
    ],
)
def test_observations(elements: dict[str, Any], expected: str) -> None:
    assert outcome(read(observation(**elements))) == expected


def test_an_r5_specimen_of_a_control_is_no_patients_blood() -> None:
    specimen = {"resourceType": "Specimen", "id": "s1", "role": [{"text": "Process control"}]}
    assert outcome(read(specimen, observation(specimen={"reference": "Specimen/s1"}))) == "not-blood"


@pytest.mark.parametrize(("comment", "clumped"), [("Platelet clumps seen.", True), ("No platelet clumps.", False)])
def test_stu3_comments_tell_clumps(comment: str, clumped: bool) -> None:
    (count,) = read(observation(PLT, "88", comment=comment)).counts
    assert count.clumped is clumped


def test_a_stu3_panel_in_a_report_leads_to_its_members() -> None:
    related = [{"type": "has-member", "target": {"reference": "#o1"}}, {"type": "derived-from", "target": {}}]
    panel = observation(CBC_PANEL, None, id="p", related=related, subject=None)
    sent = resource("DiagnosticReport", status="final", result=[{"reference": "#p"}], contained=[panel, observation()])
    assert outcome(read(sent)) == "2.9"
    related[0]["type"] = "derived-from"
    assert outcome(read(sent)) == "contained-unreferenced"
