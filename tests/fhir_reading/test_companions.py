"""Results shown beside the counts: as reported, and for blasts whether they are present."""

from decimal import Decimal
from typing import Any

import pytest

from cds_service.hematology.lab_results import Analyte, CompanionKind
from tests.builders.fhir import ANC, BLASTS, HEMOGLOBIN, concept, observation, quantity, read


def test_companions_are_shown_as_reported() -> None:
    picture = read(
        observation(HEMOGLOBIN, quantity(Decimal("9.80"), "g/dL"), id="a"),
        observation("1920-8", quantity(40, None, "U/L"), id="b"),
        observation("1742-6", quantity(7, "U/L", comparator="<"), id="c"),
        observation("8310-5", quantity(Decimal("38.5"), "°C", "Cel"), id="d"),
        observation("9317-9", None, id="e", valueString="Adequate", status="amended"),
    )
    assert [(one.kind, one.reported, one.status, one.present) for one in picture.companions] == [
        (CompanionKind.HEMOGLOBIN, "9.80 g/dL", "final", None),
        (CompanionKind.AST, "40 U/L", "final", None),
        (CompanionKind.ALT, "<7 U/L", "final", None),
        (CompanionKind.TEMPERATURE, "38.5 °C", "final", None),
        (CompanionKind.PLATELET_ADEQUACY, "Adequate", "amended", None),
    ]


def test_neutrophils_are_counts() -> None:
    (result,) = read(observation(ANC, quantity(450, "/uL"))).counts
    assert (result.analyte, str(result.value)) == (Analyte.NEUTROPHILS, "0.450")


def test_neutrophils_in_percent_are_no_count() -> None:
    assert read(observation("770-8", quantity(45, "%"))).counts == ()


@pytest.mark.parametrize(
    ("elements", "present"),
    [
        ({"valueQuantity": quantity(2, "%")}, True),
        ({"valueQuantity": quantity(Decimal("0.01"), "10*9/L")}, True),
        ({"valueQuantity": quantity(0, "%")}, False),
        ({"valueQuantity": quantity(1, "%", comparator="<")}, None),
        ({"valueQuantity": quantity(0, "%", comparator="<=")}, False),
        ({"valueQuantity": quantity(0, "%", comparator=">=")}, None),
        ({"valueQuantity": quantity(0, "%", comparator=">")}, True),
        ({"valueQuantity": quantity(5, "%", comparator=">=")}, True),
        ({"valueCodeableConcept": concept("52101004", system="http://snomed.info/sct")}, True),
        ({"valueString": "present"}, True),
        ({"valueString": "Absent"}, False),
        ({"valueString": "not seen"}, False),
        ({"valueString": "see comment"}, None),
        ({"valueRange": {"low": quantity(1, "%")}}, None),
    ],
)
def test_whether_blasts_are_present(elements: dict[str, Any], present: bool | None) -> None:
    (blasts,) = read(observation(BLASTS, None, **elements)).companions
    assert (blasts.kind, blasts.present) == (CompanionKind.BLASTS, present)


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "unknown"},
        {"subject": None},
        {"effectiveDateTime": "2026"},
        {"valueQuantity": None},
        {"valueQuantity": quantity("2", "%") | {"unit": 5}},
        {"dataAbsentReason": concept("x")},
        {"specimen": {"display": "bone marrow"}},
    ],
)
def test_a_companion_that_cannot_be_used_is_left_out(elements: dict[str, Any]) -> None:
    picture = read(observation(BLASTS, quantity(2, "%")) | elements)
    assert picture.companions == ()
    assert picture.set_aside == ()
