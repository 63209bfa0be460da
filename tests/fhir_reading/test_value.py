"""Criteria 1, "Value": a number with a unit that is understood, or a reason; never a guess."""

import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.hematology.lab_results import Comparator, ReferenceRange
from tests.builders.fhir import ANC, PLT, WBC, concept, observation, outcome, quantity, read

ABSENT = concept("unknown", system="http://terminology.hl7.org/CodeSystem/data-absent-reason")
NARRATIVE = {"status": "generated", "div": "<div>WBC 2.9</div>"}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"valueString": "2.9 10*3/uL"}, "value-not-a-quantity unreadable"),
        ({"valueRange": {"low": quantity(2), "high": quantity(3)}}, "value-not-a-quantity unreadable"),
        ({"valueCodeableConcept": concept("low", text="low")}, "value-not-a-quantity unreadable"),
        ({"valueInteger": 3}, "value-not-a-quantity unreadable"),
        ({"valueRatio": {"numerator": quantity(3)}}, "value-not-a-quantity unreadable"),
        ({"valueDecimal": 2.9}, "value-not-a-quantity unreadable"),
        ({"text": NARRATIVE}, "narrative-only unreadable"),
        ({"text": NARRATIVE, "dataAbsentReason": ABSENT}, "data-absent"),
        ({"text": NARRATIVE, "component": [{"code": concept("local")}]}, "value-missing"),
        ({"text": {"div": ""}}, "value-missing"),
        ({"text": "2.9"}, "value-missing"),
        ({"dataAbsentReason": ABSENT}, "data-absent"),
        ({"dataAbsentReason": {}}, "value-missing"),
        ({}, "value-missing"),
        ({"valueString": ""}, "value-missing"),
        ({"valueString": None}, "value-missing"),
        ({"valueQuantity": {"unit": "10*3/uL"}}, "value-missing"),
        ({"valueQuantity": {"unit": "10*3/uL"}, "text": NARRATIVE}, "value-missing"),
        ({"valueQuantity": {"unit": "10*3/uL"}, "dataAbsentReason": ABSENT}, "data-absent"),
        ({"valueQuantity": {"unit": "10*3/uL"}, "valueString": "2.9"}, "value-not-a-quantity unreadable"),
        ({"valueQuantity": quantity(3), "dataAbsentReason": ABSENT}, "value-and-data-absent unreadable"),
        ({"valueString": "3", "dataAbsentReason": ABSENT}, "value-and-data-absent unreadable"),
        ({"valueQuantity": quantity(3), "valueString": "three"}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(3), "valueString": ""}, "3"),
        ({"valueQuantity": quantity(3), "valueUnheardOf": 5}, "3"),
        ({"valueQuantity": quantity("2.9")}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(True)}, "value-invalid unreadable"),
        ({"valueQuantity": quantity([3])}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(float("nan"))}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(float("inf"))}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(Decimal("1." + "1" * 1000))}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(10**5000)}, "value-invalid unreadable"),
        ({"valueQuantity": [quantity(3)]}, "value-invalid unreadable"),
        ({"valueQuantity": "3"}, "value-invalid unreadable"),
        ({"valueQuantity": json.dumps(quantity(3))}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(3) | {"code": 5}}, "value-invalid unreadable"),
        ({"valueQuantity": quantity(3) | {"unit": {}}}, "unit-missing unreadable"),
        ({"valueQuantity": quantity(3) | {"id": 5, "extension": "x", "nonsense": None}}, "3"),
    ],
)
def test_what_kind_of_value(elements: dict[str, Any], expected: str) -> None:
    assert outcome(read(observation(value=None) | elements)) == expected


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        (WBC, "1000", "1000"),
        (WBC, "1000.1", "value-implausible unreadable"),
        (PLT, "1000.1", "1000.1"),
        (PLT, "10000", "10000"),
        (PLT, "10000.1", "value-implausible unreadable"),
        (ANC, "0", "0"),
        (WBC, "-0", "0"),
        (WBC, "-0.1", "value-implausible unreadable"),
        (WBC, "0.005", "0.005"),
        (WBC, "0.0049", "value-implausible unreadable"),
        (WBC, "1E+300", "value-implausible unreadable"),
        (WBC, "1E-300", "value-implausible unreadable"),
        (WBC, "1E+999999", "value-implausible unreadable"),
        (WBC, "2E+0", "2"),
    ],
)
def test_implausible_values_are_not_used(code: str, value: str, expected: str) -> None:
    assert outcome(read(observation(code, value))) == expected


@pytest.mark.parametrize(
    "written", ["3.9600000000000004", "3.99999999999999999999999999999999999999999", "2.90", "4", "150.0"]
)
def test_values_keep_every_digit(written: str) -> None:
    (result,) = read(observation(value=written)).counts
    assert (str(result.value), result.reported_value) == (written, written)
    (converted,) = read(observation(value=quantity(Decimal(f"{written}E+3"), "/uL"))).counts
    assert converted.value == Decimal(written)
    assert converted.converted
    assert not result.converted


def test_a_long_value_is_not_rounded_across_the_limit_by_conversion() -> None:
    (result,) = read(observation(value=quantity(Decimal("3999." + "9" * 60), "/uL"))).counts
    assert result.value < 4


def test_binary_numbers_stand_for_their_shortest_text() -> None:
    (result,) = read(observation(value=quantity(3.96))).counts
    assert result.value == Decimal("3.96")


@pytest.mark.parametrize(
    ("comparator", "expected"),
    [("<", Comparator.BELOW), ("<=", Comparator.AT_MOST), (">", Comparator.ABOVE), (">=", Comparator.AT_LEAST)],
)
def test_bounds_are_read_and_left_to_the_judge(comparator: str, expected: Comparator) -> None:
    (result,) = read(observation(value=quantity(Decimal("0.1"), comparator=comparator))).counts
    assert (result.comparator, result.reported_value) == (expected, "0.1")


@pytest.mark.parametrize("comparator", ["~", "=", "ad", "<<", "sa"])
def test_other_comparators_are_not_used(comparator: str) -> None:
    picture = read(observation(value=quantity(3, comparator=comparator)))
    assert outcome(picture) == "comparator-unsupported unreadable"
    assert picture.set_aside[0].reported == f"{comparator}3 10*3/uL"


def test_what_is_set_aside_keeps_what_was_reported() -> None:
    sent = [
        observation(id="a", value=quantity(Decimal("2.90"), None)),
        observation(id="b", value=None, valueString="few"),
        observation(id="c", value=None, valueCodeableConcept=concept("260385009", text="low")),
        observation(id="d", value=None, valueBoolean=True),
        observation(id="e", value=quantity(Decimal("1E-50"), "mg/dL")),
        observation(id="f", value=None, valueRange={}, text=NARRATIVE),
    ]
    reported = [one.reported for one in read(*sent).set_aside]
    assert reported == ["2.90", "few", "low", "True", "1E-50 mg/dL", ""]


def test_what_is_shown_beside_a_count_never_spoils_it() -> None:
    low_high = [{"low": quantity(4), "high": quantity(Decimal("11.0"))}]
    (full,) = read(
        observation(
            referenceRange=low_high,
            interpretation=[concept("local", text="Low"), {"coding": [{"code": "L", "system": "urn:x"}]}],
            issued="2026-06-01T10:00:00Z",
        )
    ).counts
    assert full.reference_range == ReferenceRange("", Decimal(4), Decimal("11.0"), "10*3/uL")
    assert full.usual == (Decimal(4), Decimal(11))
    assert full.interpretation == "Low, L"
    assert full.issued is not None
    shown = [
        ([{"text": "4.0-11.0"}], ReferenceRange("4.0-11.0")),
        ([{"low": {"value": 4}}], ReferenceRange(low=Decimal(4))),
        ([{"high": {"value": 11, "code": "10*9/L"}}], ReferenceRange(high=Decimal(11), unit="10*9/L")),
        ([{"low": quantity(4, "10*3/uL"), "high": quantity(11000, "/uL")}], None),
        ([{"low": {"unit": "x"}}], None),
        ([{"low": 4, "high": ["11"]}], None),
        ("4-11", None),
    ]
    for sent, expected in shown:
        (result,) = read(observation(referenceRange=sent, interpretation="L", issued="never", note={"text": 5})).counts
        assert (result.reference_range, result.interpretation, result.issued) == (expected, None, None)
        assert result.usual == (None, None), "never guessed from another unit"
