"""Whatever is sent: nothing crashes, nothing else is spoiled, and nothing is used that a plain rule forbids."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir_reading.entries import Entry
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import SetAsideReason
from tests.builders.fhir import (
    LOINC,
    OWN,
    PATIENT,
    PLT,
    WBC,
    concept,
    observation,
    paths_in,
    patient,
    quantity,
    read,
    replaced,
    resource,
)
from tests.builders.releases import OTHERS, as_release

FULL: dict[str, dict[str, Any]] = {
    "Observation": observation(
        value=quantity(Decimal("2.9"), "10*3/uL", "10*3/uL", "<"),
        meta={"lastUpdated": "2026-06-01T10:00:00Z", "versionId": "1"},
        issued="2026-06-01T10:00:00Z",
        category=[concept("laboratory", system="urn:c")],
        specimen={"reference": "#s", "display": "Blood"},
        bodySite={"text": "arm"},
        method={"text": "automated"},
        interpretation=[concept("L")],
        note=[{"text": "verified"}],
        referenceRange=[{"low": quantity(4), "high": quantity(11)}],
        contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": "Blood"}}],
        component=[{"code": concept(PLT), "valueQuantity": quantity(88)}],
    ),
    "DiagnosticReport": resource(
        "DiagnosticReport", status="final", result=[{"reference": "#o1"}], contained=[observation(PLT, "88")]
    ),
    "Condition": resource(
        "Condition",
        code=concept("C92.0", system="http://hl7.org/fhir/sid/icd-10-cm"),
        clinicalStatus=concept("active", system="urn:s"),
        verificationStatus=concept("confirmed", system="urn:s"),
        onsetPeriod={"start": "2026-05-01"},
        abatementPeriod={"start": "2027-05-01"},
        recordedDate="2026-05-02",
    ),
    "MedicationRequest": resource(
        "MedicationRequest",
        status="active",
        intent="order",
        medicationReference={"reference": "#m", "display": "methotrexate"},
        contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "methotrexate"}}],
        authoredOn="2026-05-01",
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": "2026-05-01", "end": "2026-06-20"}}}}],
        dispenseRequest={"validityPeriod": {"end": "2026-06-01"}},
    ),
    "Patient": patient(birthDate="1980", link=[{"type": "replaces"}], active=True, deceasedBoolean=False),
}
FULL["MedicationStatement"] = FULL["MedicationRequest"] | {
    "resourceType": "MedicationStatement",
    "effectivePeriod": {"start": "2026-05-01"},
}
FULL["MedicationAdministration"] = FULL["MedicationStatement"] | {"resourceType": "MedicationAdministration"}
FULL |= {
    f"{name} of {release}": as_release(
        full | {"hasMember": [{"reference": "#o1"}]} if name == "Observation" else full, release
    )
    for name, full in FULL.items()
    for release in OTHERS
}
SPOTS = [(name, path) for name, full in FULL.items() for path in paths_in(full) if path]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=12)
    | st.sampled_from(["final", OWN["reference"], "#s", "2026-06-01", "2.9", "10*3/uL", "Patient/other", "", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
BYSTANDER = observation(id="bystander", value="3.3")


def check(picture: ClinicalPicture) -> None:
    """What holds of every picture, whatever was sent."""
    for count in picture.counts:
        assert count.status in {"final", "amended", "corrected"}
        assert count.value == 0 or Decimal("0.005") <= count.value <= 10_000
        assert count.reported_unit
    for aside in picture.set_aside:
        assert isinstance(aside.reason, SetAsideReason)
        assert aside.collected is not None or not aside.unreadable


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(SPOTS), JSON)
def test_any_part_replaced_by_anything_spoils_nothing_else(spot: tuple[str, tuple[Any, ...]], part: Any) -> None:
    name, path = spot
    mangled = replaced(FULL[name], path, part)
    if name.startswith("Patient"):
        mangled["id"] = PATIENT
    picture = read(Entry(mangled), BYSTANDER)
    check(picture)
    assert [str(count.value) for count in picture.counts if count.reference == "Observation/bystander"] == ["3.3"]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*FULL["Observation"], "valueString", "effectivePeriod"]), JSON, max_size=6))
def test_an_observation_of_anything(elements: dict[str, Any]) -> None:
    check(read(Entry({"resourceType": "Observation", **elements}), BYSTANDER))


PLAIN = observation(value=quantity(Decimal("2.9"), "10*3/uL", "10*3/uL"))
ALSO_READ = {"implicitRules", "modifierExtension", "dataAbsentReason"}


def nobody_reads(name: str) -> bool:
    """Whether an element of an Observation is none that the assessment reads."""
    return name not in FULL["Observation"] and name not in ALSO_READ and not name.startswith(("value", "effective"))


NEEDED = ("resourceType", "code", "status", "subject", "effectiveDateTime", "valueQuantity")


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=10).filter(nobody_reads),
        JSON,
        max_size=3,
    )
)
def test_an_element_that_nobody_reads_loses_nothing(elements: dict[str, Any]) -> None:
    odd = {"meta": {"profile": [""]}, "identifier": [None], "performer": "", "text": {"div": 5}, "_status": {"id": ""}}
    for sent in (odd, elements):
        assert [str(count.value) for count in read(PLAIN | sent).counts] == ["2.9"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([path for path in paths_in(PLAIN) if path and path[0] in NEEDED[1:]]), JSON)
def test_a_fault_in_what_is_read_never_makes_another_value(path: tuple[Any, ...], part: Any) -> None:
    """Only the number itself, its unit and its comparator may change what is read, and then as they say."""
    for count in read(replaced(PLAIN, path, part)).counts:
        if path[0] == "valueQuantity":
            assert path[-1] in ("value", "unit", "code", "system") or count.value == Decimal("2.9")
        else:
            assert count.value == Decimal("2.9")
        if path[0] == "code":
            assert count.analyte == "leukocytes"


@pytest.mark.parametrize("missing", NEEDED[1:])
def test_nothing_is_used_without_what_makes_it_a_result(missing: str) -> None:
    sent = {name: part for name, part in PLAIN.items() if name != missing}
    assert read(sent).counts == ()


def test_many_resources_of_no_use_are_passed_over() -> None:
    types: list[Any] = ["OperationOutcome", None, ["Observation"], {}]
    sent = [{"resourceType": name} for name in types]
    assert read(*sent, {}, PLAIN).counts
    assert read({"resourceType": "Observation", "code": {"coding": [{"system": LOINC, "code": WBC}]}}).set_aside
