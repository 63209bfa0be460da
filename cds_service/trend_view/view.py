"""What is shown of an assessment's trends, as frozen values in the knowledge's words. Knows no drawing and no HTML.

Chart text (names, units, values as reported) is cleaned here; whoever renders escapes for its own format.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from cds_service.hematology.lab_results import Analyte, CollectionTime, CompanionKind, SetAside, SetAsideReason
from cds_service.hematology.trends import TracedCount, Trend, trace
from cds_service.hematology.verdicts import Assessment, Run
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_values import collected_text, plain_number
from cds_service.services.card_wording import Wording
from cds_service.services.chart_text import clean_text
from cds_service.trend_view.spans import Span, spans_of

SET_ASIDE = "set-aside"
"""The mark of a point that has a place in time but no value that can be used."""


class Range(StrEnum):
    """How far back one looks."""

    THREE_MONTHS = "3m"
    YEAR = "1y"
    ALL = "all"


_DAYS = {Range.THREE_MONTHS: 92, Range.YEAR: 366}


@dataclass(frozen=True)
class Point:
    """One result. `at` is the wall clock of the record; `value` in the chart's unit, None where it can't be used.

    `mark` is one of `hematology.trends.Mark`, or `set-aside`; `status` says it in words.
    """

    at: datetime | None
    value: Decimal | None
    mark: str
    collected: str
    reported: str
    status: str
    reference: str
    in_run: bool = False

    @property
    def says(self) -> str:
        """The point in one line, for whoever hears it instead of seeing it."""
        return "; ".join(part for part in (self.reported, self.collected, self.status) if part)


@dataclass(frozen=True)
class Chart:
    """One analyte, oldest first. `limit`: below it a count is low (None: none is judged); `usual` the laboratory's."""

    analyte: str
    title: str
    unit: str
    points: tuple[Point, ...]
    limit: Decimal | None = None
    limit_says: str = ""
    usual: tuple[Decimal | None, Decimal | None] = (None, None)
    run: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class TrendView:
    """All charts on one time axis from `first` to `last`, and what else the record says of that time."""

    charts: tuple[Chart, ...]
    spans: tuple[Span, ...]
    first: datetime
    last: datetime
    range: Range

    @property
    def is_empty(self) -> bool:
        """Whether there is no result at all to show."""
        return not any(chart.points for chart in self.charts)


def compose_trends(assessment: Assessment, knowledge: Knowledge, looked_at: Range = Range.ALL) -> TrendView:
    """The view of one assessment, back to where one looks."""
    words = Wording(knowledge.wording)
    now = assessment.as_of.replace(tzinfo=None)
    traced = (_chart_of(trend, words) for trend in trace(assessment, knowledge.guideline))
    charts = [*traced, *_hemoglobin(assessment, words)]
    times = [point.at for chart in charts for point in chart.points if point.at]
    since = now - timedelta(days=_DAYS[looked_at]) if looked_at in _DAYS else min(times, default=now)
    return TrendView(
        charts=tuple(_since(chart, since) for chart in charts),
        spans=tuple(span for span in spans_of(assessment.picture, knowledge, now) if span.reaches(since)),
        first=since,
        last=max([now, *times]),
        range=looked_at,
    )


def _since(chart: Chart, first: datetime) -> Chart:
    """The chart without what is older; what has no date stays."""
    kept = tuple(point for point in chart.points if point.at is None or point.at >= first)
    run = (max(chart.run[0], first), chart.run[1]) if chart.run and chart.run[1] >= first else None
    return Chart(chart.analyte, chart.title, chart.unit, kept, chart.limit, chart.limit_says, chart.usual, run)


def _chart_of(trend: Trend, words: Wording) -> Chart:
    points = [*(_count(one, words) for one in trend.counts), *_set_aside(trend.set_aside, words)]
    kind = "critical-below" if trend.analyte is Analyte.NEUTROPHILS else "low-below"
    return Chart(
        analyte=trend.analyte.value,
        title=words.plain(f"trend.titles.{trend.analyte}"),
        unit=words.plain("words.count_unit"),
        points=tuple(points),
        limit=trend.limit.value,
        limit_says=words.plain(f"trend.{kind}", limit=plain_number(trend.limit.value)),
        usual=next((usual for usual in map(_usual, reversed(trend.counts)) if usual != (None, None)), (None, None)),
        run=_extent(trend.run),
    )


def _usual(one: TracedCount) -> tuple[Decimal | None, Decimal | None]:
    return one.result.usual


def _extent(run: Run | None) -> tuple[datetime, datetime] | None:
    """From the first low result of a run to its newest; None where it is a single one."""
    if run is None or len(run.occasions) == 1:
        return None
    return wall_clock(run.oldest.collected), wall_clock(run.newest.collected)


def _count(one: TracedCount, words: Wording) -> Point:
    result = one.result
    return Point(
        at=wall_clock(result.collected),
        value=result.value,
        mark=one.mark.value,
        collected=collected_text(result.collected),
        reported=clean_text(f"{_sign(result.comparator)}{result.reported_value} {result.reported_unit}"),
        status=words.listed([words.plain(f"trend.marks.{one.mark}"), result.status]),
        reference=clean_text(result.reference),
        in_run=one.in_run,
    )


def _sign(comparator: str) -> str:
    return "" if comparator == "=" else comparator


def _set_aside(results: tuple[SetAside, ...], words: Wording) -> Iterator[Point]:
    """What can't be used, with the reason; of another patient's results nothing is shown."""
    for one in results:
        if one.reason is not SetAsideReason.OTHER_PATIENT:
            yield Point(
                at=wall_clock(one.collected) if one.collected else None,
                value=None,
                mark=SET_ASIDE,
                collected=collected_text(one.collected) if one.collected else words.plain("evidence.undated"),
                reported=clean_text(one.reported),
                status=words.plain("trend.not-used", reason=words.plain(f"reasons.{one.reason}")),
                reference=clean_text(one.reference),
            )


def _hemoglobin(assessment: Assessment, words: Wording) -> Iterator[Chart]:
    """Hemoglobin as reported, in the unit of the newest; those in another unit are listed, not drawn."""
    found = [one for one in assessment.picture.companions if one.kind is CompanionKind.HEMOGLOBIN]
    found.sort(key=lambda one: wall_clock(one.collected))
    if not found:
        return
    unit = found[-1].unit
    yield Chart(
        analyte=CompanionKind.HEMOGLOBIN.value,
        title=words.plain("trend.titles.hemoglobin"),
        unit=clean_text(unit),
        points=tuple(
            Point(
                at=wall_clock(one.collected),
                value=one.number if one.unit == unit else None,
                mark="shown" if one.unit == unit and one.number is not None else SET_ASIDE,
                collected=collected_text(one.collected),
                reported=clean_text(one.reported),
                status=words.listed([words.plain("trend.marks.shown"), one.status]),
                reference=clean_text(one.reference),
            )
            for one in found
        ),
    )


def wall_clock(collected: CollectionTime) -> datetime:
    """Where a result stands on the time axis: the time the record shows, its offset set aside; noon where none is."""
    if collected.instant is not None:
        return collected.instant.replace(tzinfo=None)
    return datetime(collected.day.year, collected.day.month, collected.day.day, 12)  # noqa: DTZ001 - a wall clock
