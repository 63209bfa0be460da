"""Criteria 1, "Which resource": every coding counts, contradictions are set aside, panels are no counts."""

import pytest

from cds_service.hematology.lab_results import Analyte, SetAsideReason
from tests.builders.fhir import (
    ANC,
    CBC_PANEL,
    HEMOGLOBIN,
    LOINC,
    PLT,
    WBC,
    WBC_ESTIMATE,
    WBC_IN_URINE,
    WBC_NRBC_CORRECTED,
    concept,
    observation,
    outcome,
    quantity,
    read,
)

LOCAL = {"system": "urn:oid:1.2.3.4", "code": "WBC"}


@pytest.mark.parametrize(
    ("codings", "expected"),
    [
        ([{"system": LOINC, "code": WBC}], "2.9"),
        ([LOCAL, {"system": LOINC, "code": WBC}], "2.9"),
        ([{"system": LOINC, "code": WBC}, LOCAL], "2.9"),
        ([{"code": "no system"}, {"system": LOINC, "code": WBC, "display": ""}], "2.9"),
        ([{"system": LOINC, "code": CBC_PANEL}, {"system": LOINC, "code": WBC}], "2.9"),
        ([{"system": LOINC, "code": WBC}, {"system": LOINC, "code": "26464-8"}], "2.9"),
        ([{"system": "http://snomed.info/sct", "code": "1022541000000102"}], "2.9"),
        ([LOCAL], "nothing"),
        ([{"system": LOINC, "code": CBC_PANEL}], "nothing"),
        ([{"system": LOINC, "code": WBC_IN_URINE}], "nothing"),
        ([{"system": "https://fhir.loinc.org", "code": WBC}], "nothing"),
        ([{"code": WBC}], "nothing"),
        ([{"system": LOINC, "display": "Leukocytes [#/volume] in Blood"}], "nothing"),
        ([{"system": LOINC, "code": WBC}, {"system": LOINC, "code": WBC_IN_URINE}], "contradictory-codes unreadable"),
        ([{"system": LOINC, "code": WBC}, {"system": LOINC, "code": HEMOGLOBIN}], "contradictory-codes unreadable"),
        ([{"system": LOINC, "code": WBC}, {"system": 5, "code": WBC_IN_URINE}], "invalid-resource unreadable"),
        ([{"system": LOINC, "code": WBC}, "777-3"], "invalid-resource unreadable"),
        ([{"system": LOINC, "code": WBC}, None], "2.9"),
    ],
)
def test_every_coding_is_looked_at_by_system_and_code(codings: list[object], expected: str) -> None:
    assert outcome(read(observation(code=WBC) | {"code": {"coding": codings}})) == expected


def test_codings_of_two_analytes_are_unreadable_for_each() -> None:
    picture = read(observation() | {"code": concept(WBC, PLT)})
    assert [(one.analyte, one.reason, one.unreadable) for one in picture.set_aside] == [
        (Analyte.LEUKOCYTES, SetAsideReason.CONTRADICTORY_CODES, True),
        (Analyte.PLATELETS, SetAsideReason.CONTRADICTORY_CODES, True),
    ]
    assert not picture.counts


def test_the_display_never_identifies() -> None:
    misnamed = {"coding": [{"system": LOINC, "code": WBC, "display": "Platelets [#/volume] in Blood"}]}
    (result,) = read(observation() | {"code": misnamed}).counts
    assert result.analyte is Analyte.LEUKOCYTES


def test_low_confidence_and_corrected_counts_are_marked() -> None:
    results = read(
        observation(WBC, id="a"),
        observation(WBC_ESTIMATE, id="b"),
        observation(WBC_NRBC_CORRECTED, id="c"),
        observation(id="d") | {"code": concept(WBC, WBC_ESTIMATE)},
    ).counts
    assert [(r.low_confidence, r.nrbc_corrected) for r in results] == [
        (False, False),
        (True, False),
        (False, True),
        (True, False),
    ]


def test_an_estimate_that_cannot_be_read_leaves_nothing_open_for_it_would_decide_nothing() -> None:
    no_unit = quantity(3, None)
    assert outcome(read(observation(WBC_ESTIMATE, no_unit))) == "unit-missing"
    assert outcome(read(observation(WBC, no_unit))) == "unit-missing unreadable"
    contradictory = read(observation() | {"code": concept(WBC_ESTIMATE, PLT)})
    assert [one.unreadable for one in contradictory.set_aside] == [True, True]


def panel(*components: object, **elements: object) -> dict[str, object]:
    return observation(CBC_PANEL, None, component=list(components), **elements)


def component(code: str, value: object, **elements: object) -> dict[str, object]:
    return {"code": concept(code), "valueQuantity": value, **elements}


def test_components_are_results_with_the_panels_time_and_their_own_unit() -> None:
    sent = panel(
        component(WBC, quantity(2900, "/uL", "/uL")), component(PLT, quantity(88)), component(ANC, quantity(1))
    )
    results = read(sent).counts
    assert [(r.reference, r.analyte, str(r.value)) for r in results] == [
        ("Observation/o1", Analyte.LEUKOCYTES, "2.900"),
        ("Observation/o1", Analyte.PLATELETS, "88"),
        ("Observation/o1", Analyte.NEUTROPHILS, "1"),
    ]
    assert {r.collected.reported for r in results} == {"2026-06-01T08:30:00+02:00"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (panel(component(WBC, quantity(3), dataAbsentReason=concept("x"))), "value-and-data-absent unreadable"),
        (panel({"code": concept(WBC), "dataAbsentReason": concept("x")}), "data-absent"),
        (panel({"code": concept(WBC)}, text={"div": "<div>2.9</div>"}), "value-missing"),
        (panel(component(WBC, quantity(3)), dataAbsentReason=concept("x")), "3"),
        (panel(component(WBC, quantity(3)), valueQuantity=quantity(9)), "3"),
        (panel(component(WBC, quantity(3)), status="entered-in-error"), "entered-in-error"),
        (panel(component(WBC, quantity(3)), subject={"reference": "Patient/other"}), "other-patient"),
        (panel(component(WBC, quantity(3))) | {"code": concept(CBC_PANEL, text="CSF cell count")}, "not-blood"),
        (panel(component(WBC, quantity(3), modifierExtension=[{"url": "x"}])), "invalid-resource unreadable"),
        (panel(component(WBC, quantity(3)), modifierExtension=[{"url": "x"}]), "invalid-resource unreadable"),
        (panel("nonsense", None, component(WBC, quantity(3))), "3"),
        (panel() | {"component": component(WBC, quantity(3))}, "3"),
        (observation(WBC, None, component=[component(WBC, quantity(3))], text={"div": "x"}), "3, value-missing"),
    ],
)
def test_a_component_is_held_to_the_same_rules(sent: dict[str, object], expected: str) -> None:
    assert outcome(read(sent)) == expected


def test_a_modifier_that_is_not_understood_forbids_reading_on() -> None:
    assert outcome(read(observation(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]))) == (
        "invalid-resource unreadable"
    )
    assert outcome(read(observation(implicitRules="urn:rules"))) == "invalid-resource unreadable"
