"""Which platelet counts clumping makes unreliable. The words that report clumping are the reader's business."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, ClumpingReport, CollectionTime, CountResult


def mark_clumped(
    counts: tuple[CountResult, ...], reports: Iterable[ClumpingReport], hours_before: Criterion
) -> tuple[CountResult, ...]:
    """The counts, with `clumped` set on the platelet counts some report concerns.

    A report concerns the counts of its specimen; where none is of its specimen, those collected at its time or in the
    `hours_before` it. A count whose own note reports clumps arrives marked and stays so.
    """
    told = tuple(reports)
    if not told:
        return counts
    drawn = {count.specimen for count in counts if count.analyte is Analyte.PLATELETS} - {None}
    specimens = {report.specimen for report in told} & drawn
    times = _ReportTimes((one.collected for one in told if one.specimen not in specimens), hours_before)
    return tuple(
        replace(count, clumped=True)
        if count.analyte is Analyte.PLATELETS and (count.specimen in specimens or times.follow(count.collected))
        else count
        for count in counts
    )


class _ReportTimes:
    """When clumps were reported, to be asked count by count: linear however many reports and counts there are."""

    def __init__(self, reported: Iterable[CollectionTime], hours_before: Criterion) -> None:
        times = tuple(reported)
        self._reach = hours_before.span
        self._instants = sorted(one.instant for one in times if one.instant is not None)
        self._days = {one.day for one in times}
        self._bare = {one.day for one in times if one.instant is None}

    def follow(self, collected: CollectionTime) -> bool:
        """Whether a report is of this time or at most the reach after it; without times by whole days."""
        if collected.instant is None:
            return self._within_days(collected.day, self._days)
        next_one = bisect_left(self._instants, collected.instant)
        timed = next_one < len(self._instants) and self._instants[next_one] - collected.instant <= self._reach
        return timed or self._within_days(collected.day, self._bare)

    def _within_days(self, day: date, reported: set[date]) -> bool:
        days = range(self._reach // timedelta(days=1) + 1)
        return any(date.fromordinal(min(day.toordinal() + later, date.max.toordinal())) in reported for later in days)
