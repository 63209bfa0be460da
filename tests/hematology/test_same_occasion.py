"""Which results are one occasion: the quick grouping against the plain definition, pair by pair."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hematology.lab_results import Analyte, CollectionTime, CountResult
from cds_service.hematology.same_occasion import Occasions
from tests.builders.knowledge import shipped_knowledge

HOURS = shipped_knowledge().guideline.same_specimen_hours
DAY_ONE = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)


def _result(number: int, collected: CollectionTime, specimen: str | None) -> CountResult:
    return CountResult(
        f"Observation/{number}", Analyte.PLATELETS, collected, Decimal(90), "90", "10*9/L", specimen=specimen
    )


def _timed(number: int, instant: datetime, specimen: str | None) -> CountResult:
    return _result(number, CollectionTime(instant.isoformat(), instant.date(), instant), specimen)


@st.composite
def times(draw: st.DrawFn) -> CollectionTime:
    offset = timezone(timedelta(hours=draw(st.sampled_from([-12, -5, 0, 9, 14]))))
    instant = DAY_ONE.astimezone(offset) + timedelta(
        hours=draw(st.sampled_from([0, 1, 23, 24, 25, 47, 48, 49])), seconds=draw(st.sampled_from([0, 29, 31, 60]))
    )
    dateless = draw(st.booleans())
    return CollectionTime(instant.isoformat(), instant.date(), None if dateless else instant)


RESULTS = st.lists(st.tuples(times(), st.sampled_from([None, None, "Specimen/a", "Specimen/b"])), max_size=9).map(
    lambda told: [_result(number, *one) for number, one in enumerate(told)]
)


def _one_occasion(one: CountResult, other: CountResult) -> bool:
    """The criteria's sentence, word for word."""
    first, second = one.collected, other.collected
    days = abs((first.day - second.day).days)
    if first.instant is None or second.instant is None:
        same_time, near = days == 0, days * 24 <= HOURS.value
    else:
        minutes = [moment.astimezone(UTC).strftime("%F %H:%M") for moment in (first.instant, second.instant)]
        same_time = minutes[0] == minutes[1]
        near = abs(first.instant - second.instant) <= timedelta(hours=int(HOURS.value))
    return same_time or (one.specimen is not None and one.specimen == other.specimen and near)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(RESULTS)
def test_groups_are_what_the_pairs_connect(results: list[CountResult]) -> None:
    plain: list[set[str]] = []
    for one in results:
        linked = [group for group in plain if any(_one_occasion(one, r) for r in results if r.reference in group)]
        plain = [group for group in plain if group not in linked] + [set().union({one.reference}, *linked)]
    quick = [{result.reference for result in group} for group in Occasions(results, HOURS).groups()]
    assert sorted(map(sorted, quick)) == sorted(map(sorted, plain))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(RESULTS)
def test_a_result_is_held_where_a_pair_connects_it(results: list[CountResult]) -> None:
    for other in results:
        rest = [result for result in results if result is not other]
        assert Occasions(rest, HOURS).hold(other) is any(_one_occasion(other, one) for one in rest)


@pytest.mark.parametrize(
    ("apart", "together"),
    [
        (timedelta(hours=24), True),
        (timedelta(hours=-24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(hours=-24, seconds=-1), False),
    ],
)
@pytest.mark.parametrize("others_before", [0, 1, 2])
def test_a_specimen_reaches_24_hours_both_ends_included(apart: timedelta, together: bool, others_before: int) -> None:
    others = [_timed(number, DAY_ONE - timedelta(days=40 + number), None) for number in range(others_before)]
    held = _timed(8, DAY_ONE, "Specimen/a")
    assert Occasions([*others, held], HOURS).hold(_timed(9, DAY_ONE + apart, "Specimen/a")) is together


def test_fractions_of_a_second_make_no_other_minute() -> None:
    first, second = _timed(1, DAY_ONE, None), _timed(2, DAY_ONE + timedelta(microseconds=250_000), None)
    assert len(Occasions([first, second], HOURS).groups()) == 1
    assert Occasions([first], HOURS).hold(second)


def test_the_ends_of_the_calendar_are_dates_like_others() -> None:
    first = _result(1, CollectionTime("0001-01-01", date.min), "Specimen/a")
    last = _result(2, CollectionTime("9999-12-31", date.max), "Specimen/a")
    assert len(Occasions([first, last], HOURS).groups()) == 2
