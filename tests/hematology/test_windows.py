"""Calendar arithmetic where it is hardest: dates without time beside times in far offsets."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import CollectionTime
from cds_service.hematology.windows import chronology, is_newer, same_time, within


def on(text: str) -> CollectionTime:
    """`2026-06-10` or `2026-06-10T08:00+02:00`."""
    day = date.fromisoformat(text[:10])
    return CollectionTime(text, day, datetime.fromisoformat(text) if "T" in text else None)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-06-10", "2026-06-11"),
        ("2026-06-10", "2026-06-11T00:01+12:00"),
        ("2026-06-10T23:59-12:00", "2026-06-11"),
        ("2026-06-10T23:00-05:00", "2026-06-11T05:00+00:00"),
        ("2026-06-11T01:00+14:00", "2026-06-10T23:00+00:00"),
    ],
)
def test_which_is_newer(older: str, newer: str) -> None:
    assert is_newer(on(newer), on(older))
    assert not is_newer(on(older), on(newer))
    assert chronology(on(older)) < chronology(on(newer))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-06-10", "2026-06-10"),
        ("2026-06-10", "2026-06-10T00:00+14:00"),
        ("2026-06-10", "2026-06-10T23:59-12:00"),
        ("2026-06-11T01:00+02:00", "2026-06-10T23:00+00:00"),
    ],
)
def test_which_are_one_time(one: str, other: str) -> None:
    assert same_time(on(one), on(other))
    assert same_time(on(other), on(one))
    assert not is_newer(on(one), on(other))
    assert not is_newer(on(other), on(one))


def test_a_tie_on_the_sort_key_makes_nothing_newer() -> None:
    date_only, next_morning = on("2026-06-10"), on("2026-06-11T01:00+13:00")
    assert chronology(date_only) == chronology(next_morning)
    assert not same_time(date_only, next_morning)
    assert not is_newer(date_only, next_morning)


def test_a_window_in_days_may_hold_part_of_a_day_ahead() -> None:
    as_of = datetime.fromisoformat("2026-06-15T12:00+00:00")
    window = Criterion("days", Decimal(1), "d")
    assert within(on("2026-06-16"), as_of, window)
    assert within(on("2026-06-16T11:00+00:00"), as_of, window)
    assert within(on("2026-06-14"), as_of, window)
    assert not within(on("2026-06-13"), as_of, window)
