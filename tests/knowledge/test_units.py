"""Unit strings: what the table holds, how spellings are folded, and what is never guessed."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.knowledge.loader import SHIPPED, load_knowledge
from cds_service.knowledge.model import UnitMeaning
from tests.builders.knowledge import boundary_counts, count_units, listed_rows, shipped_knowledge

UNITS = shipped_knowledge().units
COUNT = UnitMeaning(Decimal(1))
NOT_A_COUNT = UnitMeaning(None)


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("10*9/L", "1"),
        ("10*3/uL", "1"),
        ("K/uL", "1"),
        ("G/L", "1"),
        ("Gpt/l", "1"),
        ("giga.l-1", "1"),
        ("10+3/ul", "1"),
        ("per nanoliter", "1"),
        ("Thousands Per MicroLiter", "1"),
        ("×10⁹/L", "1"),
        ("10³/mm³", "1"),
        ("\u200b10*3/uL\u200b", "1"),
        ("10^3/\u00b5L", "1"),
        ("10^3/\u03bcL", "1"),
        ("\u00a0K/uL ", "1"),
        ("X10E3/UL", "1"),
        ("THOUSANDS PER MICROLITER", "1"),
        ("10*3{cells}/uL", "1"),
        ("{cells}/uL", "0.001"),
        ("{any thing}/uL", "0.001"),
        ("个/μL", "0.001"),
        ("#/CU MM", "0.001"),
        ("/L", "0.000000001"),
        ("10*4/uL", "10"),
        ("lakh/cumm", "100"),
        ("10^2/µL", "0.1"),
    ],
)
def test_a_count_unit_converts(text: str, factor: str) -> None:
    assert UNITS.look_up(text) == UnitMeaning(Decimal(factor))


@pytest.mark.parametrize(
    "text", ["%", "mg/dL", "MG/DL", "uL", "10*3/u", "10*3", "T/L", "M/uL", "fL", "/[HPF]", "L", "1"]
)
def test_a_unit_of_something_else_is_understood_and_no_count(text: str) -> None:
    assert UNITS.look_up(text) == NOT_A_COUNT


@pytest.mark.parametrize(
    "text", ["", "   ", "g/L", "g/l", "m/uL", "M/UL", "t/L", "mil/uL", "MIL/UL", "cells", "/u", "10*9"]
)
def test_what_the_table_does_not_hold_is_not_guessed(text: str) -> None:
    assert UNITS.look_up(text) is None


@pytest.mark.parametrize("text", ["{ratio}", "{score}", "{cells}"])
def test_an_annotation_alone_is_unity_and_no_count(text: str) -> None:
    assert UNITS.look_up(text) == NOT_A_COUNT


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("K/uL", False), ("K/nonsense", False), ("{x}K/uL", False), ("mil/uL", False), ("kat/L", True), ("g/L", True)],
)
def test_a_ucum_library_is_never_asked_about_kelvin(text: str, allowed: bool) -> None:
    assert UNITS.ucum_allowed(text) is allowed


@given(st.text(max_size=120))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = UNITS.normalise(text)
    assert UNITS.normalise(once) == once
    assert UNITS.look_up(once) == UNITS.look_up(text)


@given(st.sampled_from(count_units()), st.text("abc XYZ#+-", max_size=8))
def test_an_annotation_never_changes_a_unit(unit: tuple[str, Decimal], annotation: str) -> None:
    assert UNITS.look_up(f"{unit[0]}{{{annotation}}}") == UnitMeaning(unit[1])


@given(st.sampled_from(count_units()))
def test_other_letters_never_give_another_factor(unit: tuple[str, Decimal]) -> None:
    for text in (unit[0].upper(), unit[0].lower(), unit[0].swapcase()):
        found = UNITS.look_up(text)
        if found is not None and text.casefold() not in {"g/l", "m/ul", "t/l"}:
            assert found.factor == unit[1]


@pytest.mark.parametrize("text", ["{a{b}}/uL", "{{{}}}K/uL", "{ \u200b}", "{a} {b}", "⁹{}⁹"])
def test_odd_annotations_are_dropped_in_one_go(text: str) -> None:
    once = UNITS.normalise(text)
    assert UNITS.normalise(once) == once


def test_other_letters_are_not_looked_up_where_two_meanings_share_them(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    path = copy / "units.toml"
    rows = '{ text = "qQ/L", factor = "1", source = "x" }, { text = "Qq/L", factor = "2", source = "x" }'
    path.write_text(path.read_text(encoding="utf-8").replace("count = [", f"count = [ {rows},", 1), encoding="utf-8")
    units = load_knowledge(copy).units
    assert units.look_up("qQ/L") == COUNT
    assert units.look_up("Qq/L") == UnitMeaning(Decimal(2))
    assert units.look_up("qq/l") is None


def test_every_boundary_count_converts_exactly() -> None:
    counts = list(boundary_counts())
    assert len(counts) == 2 * 3 * len(count_units())
    for count in counts:
        meaning = UNITS.look_up(count.unit)
        assert meaning is not None
        assert meaning.factor is not None
        assert count.reported * meaning.factor == count.converted, count


def test_every_row_of_the_raw_list_is_accounted_for() -> None:
    for row in listed_rows("units.csv"):
        text, factor = row["code"], row["factor_to_10*9/L"]
        if text.startswith("("):
            continue  # a rule about quantities, not a unit
        found = UNITS.look_up(text)
        if factor:
            assert found == UnitMeaning(Decimal(factor)), text
        else:
            assert found is None or found.factor is None, text
            assert row["group"] == "ambiguous" or found == NOT_A_COUNT, text
