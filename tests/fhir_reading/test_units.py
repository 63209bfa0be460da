"""Criteria 1, "Value", units: converted right or set aside; no unit string ever turns a count into another count."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cds_service.fhir_reading.quantities import Count, CountReader
from cds_service.fhir_reading.ucum import ask_ucum
from cds_service.hematology.lab_results import Analyte, SetAsideReason
from cds_service.knowledge.model import UnitMeaning
from tests.builders.fhir import UCUM, observation, outcome, quantity, read
from tests.builders.knowledge import shipped_knowledge

LOCAL = "urn:oid:1.2.3.4.5"


def sent(value: str, unit: str | None, code: str | None = None, system: str | None = UCUM) -> dict[str, Any]:
    parts = {"value": Decimal(value), "unit": unit, "code": code, "system": system if code else None}
    return observation(value={name: part for name, part in parts.items() if part is not None})


@pytest.mark.parametrize(
    ("value", "unit", "code", "expected"),
    [
        ("2.9", "10*9/L", "10*9/L", "2.9"),
        ("2.9", None, "10*9/L", "2.9"),
        ("2.9", "10*9/L", None, "2.9"),
        ("2.9", "K/uL", "10*3/uL", "2.9"),
        ("2.9", "K/uL", "K/uL", "2.9"),
        ("2.9", "G/L", None, "2.9"),
        ("2.9", "Leukocytes!", "10*3/uL", "2.9"),
        ("2.9", "10^9/L", "10^9/L", "2.9"),
        ("2.9", "10*3/µL", None, "2.9"),
        ("2.9", "10*3/μL", None, "2.9"),
        ("2.9", "10\u200b*3/uL", None, "2.9"),
        ("2.9", " 10*3/uL ", " 10*3/uL ", "2.9"),
        ("2.9", "10*3{WBC}/uL", "10*3{WBC}/uL", "2.9"),
        ("2900", "/uL", "/uL", "2.900"),
        ("2900", "{cells}/uL", "{cells}/uL", "2.900"),
        ("2900", "cells per microliter", "/uL", "2.900"),
        ("0.29", "10*4/uL", "10*4/uL", "2.90"),
        ("0.029", "lakh/cumm", None, "2.900"),
        ("2.9", "giga.l-1", None, "2.9"),
        ("2.9", "Thousands Per MicroLiter", None, "2.9"),
        ("29", None, "10*8/L", "2.9"),
        ("2.9", None, "10*9.L-1", "2.9"),
        ("2.9", None, "10*-3/pL", "2.9"),
        ("29", None, "100/uL", "unit-not-a-count unreadable"),
        ("2.9", None, "3/uL", "unit-not-a-count unreadable"),
        ("2.9", None, "10*/mL", "unit-not-a-count unreadable"),
        ("2.9", "x10^9/L", "mg/dL", "unit-contradiction unreadable"),
        ("2.9", "10*9/L", "/uL", "unit-contradiction unreadable"),
        ("2.9", "%", "10*9/L", "unit-contradiction unreadable"),
        ("2.9", "10*9/L", "%", "unit-contradiction unreadable"),
        ("2.9", "mg/dL", "mg/dL", "unit-not-a-count unreadable"),
        ("2.9", "%", "mg/dL", "unit-not-a-count unreadable"),
        ("2.9", None, "uL", "unit-not-a-count unreadable"),
        ("2.9", "10*3/u", None, "unit-not-a-count unreadable"),
        ("2.9", "T/L", None, "unit-not-a-count unreadable"),
        ("2.9", "10*3", "10*3", "unit-not-a-count unreadable"),
        ("2.9", "{cells}", None, "unit-not-a-count unreadable"),
        ("2.9", "mil/uL", None, "unit-not-understood unreadable"),
        ("2.9", "KL-1", None, "unit-not-understood unreadable"),
        ("2.9", "per glass", None, "unit-not-understood unreadable"),
        ("2.9", "10*9/L", "nonsense", "unit-not-understood unreadable"),
        ("2.9", "x" * 300, None, "unit-not-understood unreadable"),
        ("2.9", None, None, "unit-missing unreadable"),
        ("2.9", "", "", "unit-missing unreadable"),
        ("4.3", "/L", "/L", "value-implausible unreadable"),
    ],
)
def test_units(value: str, unit: str | None, code: str | None, expected: str) -> None:
    assert outcome(read(sent(value, unit, code))) == expected


@pytest.mark.parametrize(
    ("unit", "code", "system", "expected"),
    [
        ("10*9/L", "10*9/L", None, "2.9"),
        ("10*9/L", "10*9/L", "http://unitsofmeasure.org/", "2.9"),
        ("10*9/L", "42", LOCAL, "2.9"),
        ("10*9/L", "G/L", LOCAL, "2.9"),
        (None, "G/L", LOCAL, "2.9"),
        ("10*9/L", "mg/dL", LOCAL, "unit-contradiction unreadable"),
        (None, "42", LOCAL, "unit-not-understood unreadable"),
        ("Stück", "10*9/L", LOCAL, "2.9"),
        ("per glass", "10*8/L", LOCAL, "unit-not-understood unreadable"),
    ],
)
def test_a_code_of_another_system_is_a_second_text(
    unit: str | None, code: str, system: str | None, expected: str
) -> None:
    assert outcome(read(sent("2.9", unit, code, system))) == expected


def table() -> dict[str, UnitMeaning]:
    exact = shipped_knowledge().units.exact  # type: ignore[attr-defined]
    return dict(exact)


@pytest.mark.parametrize("unit", sorted(table()))
def test_every_unit_of_the_table_in_every_place(unit: str) -> None:
    factor = table()[unit].factor
    for text, code in ((unit, None), (None, unit), (unit, unit), ("???", unit)):
        reader = CountReader(shipped_knowledge().units, shipped_knowledge().plausibility)
        amount = Decimal(100) if factor is None else Decimal(100) / factor
        found = reader.read(quantity(amount, text, code), Analyte.PLATELETS)
        if factor is None:
            assert found is SetAsideReason.UNIT_NOT_A_COUNT
        else:
            assert isinstance(found, Count)
            assert found.value == Decimal(100)
            assert found.converted is (factor != 1)


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "[iU]/L",
            "rad/uL",
            "%/uL",
            "bit/L",
            "[ppb]/nL",
            "K/L",
            "mol/L",
            "g/L",
            "/ML",
            "/kL",
            "L",
            "L/L2.m",
            "/L.10*9",
        ),
        *("/a.b", "10*9/L/s", "m", "1", "uL.uL-2.L-2", "10*3/[in_i]3", "/m", "10*3/mm"),
    ],
)
def test_what_a_library_takes_for_a_number_per_volume_is_none_unless_it_plainly_is(unit: str) -> None:
    meaning = ask_ucum(unit)
    assert meaning is None or meaning.factor is None


@pytest.mark.parametrize(
    "unit", ["10*99999999/L", "10*999/L", "9" * 20 + "/L", "m-999", "(" * 32, "é/L", "", "10*3/ uL"]
)
def test_what_would_take_the_library_long_is_never_asked(unit: str) -> None:
    assert ask_ucum(unit) is None


def test_a_call_asks_the_library_about_so_many_strange_units_only() -> None:
    reader = CountReader(shipped_knowledge().units, shipped_knowledge().plausibility)
    answers = [reader.meaning(f"{number}00/uL.1") for number in range(1, 102)]
    assert answers[0] == UnitMeaning(None)
    assert answers[-1] is None
    assert reader.meaning("10*9/L") == UnitMeaning(Decimal(1))


def plainly(unit: str) -> Decimal | None:
    """An independent reading of a number per volume, in 10*9/L, as plainly as possible; None: don't know."""
    volumes = {
        "L": 0,
        "l": 0,
        "dL": -1,
        "dl": -1,
        "cL": -2,
        "cl": -2,
        "mL": -3,
        "ml": -3,
        "cm3": -3,
        "uL": -6,
        "ul": -6,
    }
    volumes |= {
        "mm3": -6,
        "nL": -9,
        "nl": -9,
        "pL": -12,
        "pl": -12,
        "fL": -15,
        "fl": -15,
        "um3": -15,
        "dm3": 0,
        "m3": 3,
    }
    match = re.fullmatch(r"(?:10[*^](?P<power>[+-]?[1-9]\d?)|1)?(?:/|\.(?=.*-))(?P<volume>[A-Za-z]+3?)(?:-1)?", unit)
    if match is None or match["volume"] not in volumes:
        return None
    power = int(match["power"] or 0) - volumes[match["volume"]] - 9
    return Decimal(10) ** power


SPELLINGS = sorted(table())
MANGLES = st.sampled_from(
    ["", " ", "*", "^", "/", ".", "3", "9", "1", "K", "G", "m", "u", "L", "{x}", "\u200b", "µ", "-", "("]
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    unit = draw(st.sampled_from(SPELLINGS))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(unit)))
        unit = unit[:at] + draw(MANGLES) + unit[at + draw(st.integers(0, 1)) :]
    spelled = (unit, unit.upper(), unit.lower(), unit.swapcase())
    return draw(st.sampled_from(spelled))


@settings(max_examples=400, deadline=None)
@given(mangled())
@example("10*9/ML")
@example("10*3/UL")
@example("k/ul")
def test_no_mangled_unit_turns_a_count_into_another_count(unit: str) -> None:
    """What is converted is either in the table, in some letter case, or plainly a number per volume to UCUM."""
    known = shipped_knowledge().units
    found = CountReader(known, shipped_knowledge().plausibility).meaning(unit)
    if found is None or found.factor is None:
        return
    spelled = known.normalise(unit)
    by_table = {meaning.factor for text, meaning in table().items() if text.casefold() == spelled.casefold()}
    assert found.factor in by_table | {plainly(spelled)}


TOKENS = [
    *(
        "10",
        "1",
        "3",
        "6",
        "9",
        "12",
        "2",
        "100",
        "*",
        "^",
        "+",
        "-",
        ".",
        "/",
        "/",
        "{cells}",
        "{",
        "(",
        ")",
        " ",
        "e",
    ),
    *("L", "l", "dL", "mL", "ml", "uL", "ul", "nL", "pL", "fL", "mm3", "cm3", "m3", "um3", "ML", "kL", "m", "u", "n"),
    *(
        "K",
        "G",
        "T",
        "M",
        "k",
        "%",
        "g",
        "mol",
        "[iU]",
        "rad",
        "s",
        "x",
        "\u00b5L",
        "\u2079",
        "\u00b3",
        "\u00d7",
        "thou",
    ),
]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=7).map("".join))
@example("10*3/ML")
@example("10*-3/pL")
@example("1/m3")
@example("10*3.uL-1")
def test_no_string_of_unit_parts_is_read_as_a_count_that_it_is_not(unit: str) -> None:
    """Whatever is put together of what units are made of: the table's own meaning, or the plain one, or none."""
    known = shipped_knowledge().units
    found = CountReader(known, shipped_knowledge().plausibility).meaning(unit)
    if found is not None and found.factor is not None:
        spelled = known.normalise(unit)
        by_table = {meaning.factor for text, meaning in table().items() if text.casefold() == spelled.casefold()}
        assert found.factor in by_table | {plainly(spelled)}


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="10*^/uLlmnKGgdT.-3 9{}()[]%x", max_size=14), st.text(alphabet="10*^/uLKG39", max_size=8))
def test_a_code_and_a_text_never_convert_to_two_things(unit: str, code: str) -> None:
    knowledge = shipped_knowledge()
    reader = CountReader(knowledge.units, knowledge.plausibility)
    found = reader.read({"value": Decimal(5), "unit": unit or "?", "code": code or "?"}, Analyte.PLATELETS)
    if isinstance(found, Count):
        meaning = reader.meaning(code)
        assert meaning is not None
        assert meaning.factor == found.value / 5
        assert reader.meaning(unit) in (None, meaning)
