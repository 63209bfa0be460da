"""Numbers and dates as a card shows them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hematology.lab_results import Analyte, CollectionTime, Comparator, CountResult
from cds_service.services.card_values import (
    collected_text,
    converted_number,
    count_limits,
    difference_number,
    is_converted,
    plain_number,
    reported_number,
    utc_text,
)
from tests.builders.charts_for_cards import at, knowledge

LIMITS = count_limits(knowledge().guideline)


def result(reported: str, factor: str = "1", comparator: Comparator = Comparator.EXACT) -> CountResult:
    value = Decimal(reported) * Decimal(factor)
    return CountResult("Observation/1", Analyte.LEUKOCYTES, at(1), value, reported, "unit", comparator=comparator)


def test_the_limits_are_all_numbers_a_count_is_compared_with() -> None:
    compared = ("0.5", "1.0", "2.0", "3.0", "4.0", "25", "50", "75", "100", "150")
    assert {Decimal(limit) for limit in compared} <= set(LIMITS)
    assert Decimal(90) not in LIMITS, "a number of days is no limit of a count"


@pytest.mark.parametrize(
    ("reported", "factor", "shown", "converted"),
    [
        ("3.9996", "1", "3.999", "3.999"),
        ("3.9999999999999996", "1", "3.999", "3.999"),
        ("4.0000001", "1", "4.000", "4"),
        ("3.96", "1", "3.96", "3.96"),
        ("4.0", "1", "4.0", "4"),
        ("149999", "0.001", "149900", "149.9"),
        ("2900", "0.001", "2900", "2.9"),
        ("2900.00", "0.001", "2900", "2.9"),
        ("12345", "0.001", "12340", "12.34"),
        ("0.88", "100", "0.88", "88"),
        ("4000000000", "1E-9", "4000000000", "4"),
        ("3.9E+3", "0.001", "3900", "3.9"),
        ("0", "1", "0", "0"),
        ("0.99999", "1", "0.9999", "0.9999"),
    ],
)
def test_a_number_keeps_its_side_of_every_limit(reported: str, factor: str, shown: str, converted: str) -> None:
    assert reported_number(result(reported, factor), LIMITS) == shown
    assert converted_number(result(reported, factor), LIMITS) == converted


@given(
    st.decimals("0.005", "10000", allow_nan=False, allow_infinity=False, places=9)
    | st.decimals("3.99", "4.01", places=7),
    st.sampled_from(["1", "0.001", "100", "1E-9", "10"]),
)
def test_no_number_is_rounded_across_a_limit(value: Decimal, factor: str) -> None:
    number = value / Decimal(factor)
    one = CountResult("Observation/1", Analyte.PLATELETS, at(1), value, str(number), "unit")
    for shown in (
        Decimal(reported_number(one, LIMITS)) * Decimal(factor),
        Decimal(converted_number(one, LIMITS)),
    ):
        assert len(shown.normalize().as_tuple().digits) <= 4
        assert [shown < limit for limit in LIMITS] == [value < limit for limit in LIMITS]
        assert abs(shown - value) <= value / 1000


def test_a_bound_is_shown_as_one() -> None:
    assert reported_number(result("0.1", comparator=Comparator.BELOW), LIMITS) == "<0.1"
    assert converted_number(result("10", "10", Comparator.AT_LEAST), LIMITS) == ">=100"


def test_a_number_is_converted_only_where_it_is_another_number() -> None:
    assert not is_converted(result("2.90"))
    assert is_converted(result("2900", "0.001"))


def test_differences_and_numbers_without_exponent() -> None:
    assert difference_number(Decimal("-0.20")) == "0.2"
    assert difference_number(Decimal("12.34567")) == "12.35"
    assert plain_number(Decimal("1E+2")) == "100"


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (datetime(2026, 1, 12, 8, 15, tzinfo=UTC), "2026-01-12 08:15 UTC"),
        (datetime(2026, 1, 12, 8, 15, 59, tzinfo=timezone(timedelta(hours=-5))), "2026-01-12 08:15 -05:00"),
        (datetime(2026, 1, 12, 23, 0, tzinfo=timezone(timedelta(hours=14))), "2026-01-12 23:00 +14:00"),
        (datetime(2026, 1, 12, 23, 0, tzinfo=timezone(timedelta(hours=5, minutes=45))), "2026-01-12 23:00 +05:45"),
        (None, "2026-01-12"),
    ],
)
def test_a_time_is_shown_in_the_offset_it_was_reported_with(instant: datetime | None, shown: str) -> None:
    assert collected_text(CollectionTime("as reported", date(2026, 1, 12), instant)) == shown


def test_a_point_in_time_is_told_in_utc() -> None:
    assert (
        utc_text(datetime(2026, 1, 12, 8, 15, 30, 999, tzinfo=timezone(timedelta(hours=-5)))) == "2026-01-12T13:15:30Z"
    )
