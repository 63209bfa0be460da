"""Counts of one specimen, found by looking up, against the same said pair by pair."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hematology.clumping import mark_clumped
from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, ClumpingReport, CollectionTime, CountResult
from cds_service.hematology.one_specimen import group_specimens, without_specimens_of
from cds_service.hematology.windows import hours_within
from tests.builders.hematology import guideline

HOURS: Criterion = guideline().same_specimen_hours
START = datetime(2026, 6, 10, tzinfo=UTC)


@st.composite
def times(draw: st.DrawFn) -> CollectionTime:
    zone = timezone(timedelta(hours=draw(st.sampled_from([-12, -5, 0, 2, 14]))))
    seconds = draw(st.sampled_from([0, 1, 59, 60, 3600])) + 3600 * draw(st.integers(0, 120))
    instant = (START + timedelta(seconds=seconds)).astimezone(zone)
    timed = draw(st.integers(0, 3)) > 0
    return CollectionTime(instant.isoformat(), instant.date(), instant if timed else None)


SPECIMENS = st.sampled_from([None, None, "Specimen/a", "Specimen/b"])


@st.composite
def counts(draw: st.DrawFn) -> list[CountResult]:
    found = draw(st.lists(st.tuples(times(), SPECIMENS), max_size=9))
    return [
        CountResult(f"Observation/{n}", Analyte.PLATELETS, time, Decimal(3), "3", "10*9/L", specimen=specimen)
        for n, (time, specimen) in enumerate(found)
    ]


def one(first: CountResult, second: CountResult) -> bool:
    """The criteria's words: same collection time, or same specimen reference collected within 24 h."""
    a, b = first.collected, second.collected
    if a.instant is None or b.instant is None:
        same = a.day == b.day
    else:
        same = a.instant.timestamp() // 60 == b.instant.timestamp() // 60
    of_one = first.specimen is not None and first.specimen == second.specimen
    return same or (of_one and (hours_within(a, b, HOURS) or hours_within(b, a, HOURS)))


def pair_by_pair(found: list[CountResult]) -> set[frozenset[str]]:
    groups = [{count.reference} for count in found]
    for first, second in combinations(found, 2):
        if one(first, second):
            mine = next(group for group in groups if first.reference in group)
            theirs = next(group for group in groups if second.reference in group)
            if mine is not theirs:
                groups.remove(theirs)
                mine |= theirs
    return {frozenset(group) for group in groups}


@settings(max_examples=400, deadline=None)
@given(counts())
def test_groups_are_those_of_comparing_all_pairs(found: list[CountResult]) -> None:
    grouped = group_specimens(found, HOURS)
    assert {frozenset(count.reference for count in group) for group in grouped} == pair_by_pair(found)


@settings(max_examples=200, deadline=None)
@given(counts(), counts())
def test_what_is_of_anothers_specimen_is_left_out(found: list[CountResult], others: list[CountResult]) -> None:
    left = without_specimens_of(found, others, HOURS)
    assert left == [count for count in found if not any(one(count, other) for other in others)]


@settings(max_examples=200, deadline=None)
@given(counts(), st.lists(st.tuples(times(), SPECIMENS), max_size=5))
def test_clumps_concern_their_specimen_else_the_day_before(
    found: list[CountResult], reported: list[tuple[CollectionTime, str | None]]
) -> None:
    reports = [ClumpingReport(f"Observation/c{n}", time, specimen) for n, (time, specimen) in enumerate(reported)]
    expected = set()
    for report in reports:
        own = [count for count in found if report.specimen is not None and count.specimen == report.specimen]
        near = [count for count in found if hours_within(count.collected, report.collected, HOURS)]
        expected |= {count.reference for count in own or near}
    marked = mark_clumped(tuple(found), reports, guideline().clumping_before_hours)
    assert {count.reference for count in marked if count.clumped} == expected
