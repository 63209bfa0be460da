"""Which counts a clump report concerns: the quick answer against the criteria's sentence, report by report."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hematology.clumping import mark_clumped
from cds_service.hematology.lab_results import Analyte, ClumpingReport, CollectionTime, CountResult
from tests.builders.knowledge import shipped_knowledge

HOURS = shipped_knowledge().guideline.clumping_before_hours
DAY_ONE = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)
SPECIMENS = st.sampled_from([None, None, "Specimen/a", "Specimen/b"])


@st.composite
def times(draw: st.DrawFn) -> CollectionTime:
    offset = timezone(timedelta(hours=draw(st.sampled_from([-12, 0, 14]))))
    instant = DAY_ONE.astimezone(offset) + timedelta(seconds=3600 * draw(st.integers(0, 50)) + draw(st.integers(0, 1)))
    return CollectionTime(instant.isoformat(), instant.date(), None if draw(st.booleans()) else instant)


COUNTS = st.lists(st.tuples(times(), SPECIMENS, st.sampled_from([Analyte.PLATELETS, Analyte.LEUKOCYTES])), max_size=6)
REPORTS = st.lists(st.builds(ClumpingReport, st.just("Observation/c"), times(), SPECIMENS), max_size=4)


def _in_time(count: CollectionTime, report: CollectionTime) -> bool:
    if count.instant is None or report.instant is None:
        return 0 <= (report.day - count.day).days * 24 <= HOURS.value
    return timedelta() <= report.instant - count.instant <= timedelta(hours=int(HOURS.value))


def _concerns(report: ClumpingReport, count: CountResult, platelets: list[CountResult]) -> bool:
    if report.specimen is not None and any(one.specimen == report.specimen for one in platelets):
        return count.specimen == report.specimen
    return _in_time(count.collected, report.collected)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(COUNTS, REPORTS)
def test_a_report_concerns_its_specimen_else_the_day_before_it(
    told: list[tuple[CollectionTime, str | None, Analyte]], reports: list[ClumpingReport]
) -> None:
    counts = tuple(
        CountResult(f"Observation/{number}", analyte, time, Decimal(60), "60", "10*9/L", specimen=specimen)
        for number, (time, specimen, analyte) in enumerate(told)
    )
    platelets = [count for count in counts if count.analyte is Analyte.PLATELETS]
    expected = [
        count.analyte is Analyte.PLATELETS and any(_concerns(report, count, platelets) for report in reports)
        for count in counts
    ]
    assert [count.clumped for count in mark_clumped(counts, reports, HOURS)] == expected
