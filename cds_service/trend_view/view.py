"""What is shown of an assessment's trends, as frozen values in the knowledge's words. Knows no drawing and no HTML.

Chart text (names, units, values as reported) is cleaned here; whoever renders escapes for its own format.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
_LIFETIME = timedelta(days=120 * 366)
_CLOCKS_DIFFER = timedelta(hours=14)
"""By how much the wall clock of a record may be ahead of ours."""
_FAR_ABOVE = 8
"""Times the limit: a value this high would press the limit onto the axis."""
_SPANS_AT_MOST = 12


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
    compressed_says: str = ""
    """That high values are drawn closer together, for where they are."""
    usual: tuple[Decimal | None, Decimal | None] = (None, None)
    run: tuple[datetime, datetime] | None = None

    @property
    def is_compressed(self) -> bool:
        """Whether a value lies so far above the limit that nobody would see, on an even scale, which are below it."""
        limit = self.limit
        return limit is not None and any(one.value and one.value > limit * _FAR_ABOVE for one in self.points)


@dataclass(frozen=True)
class TrendView:
    """All charts on one time axis from `first` to `last`, and what else the record says of that time.

    A result whose date can't be right (of the next century, or of no time at all) has no place there: a wrong date must
    not press the right ones together. The table has it.
    """

    charts: tuple[Chart, ...]
    spans: tuple[Span, ...]
    first: datetime
    last: datetime
    range: Range

    @property
    def is_empty(self) -> bool:
        """Whether there is no result at all to show."""
        return not any(chart.points for chart in self.charts)

    def drawn(self, chart: Chart) -> tuple[Point, ...]:
        """The results of a chart that have a place on the axis."""
        return tuple(one for one in chart.points if one.at and self.first <= one.at <= self.last)

    @property
    def results_not_drawn(self) -> int:
        """How many results are in the table only."""
        return sum(len(chart.points) - len(self.drawn(chart)) for chart in self.charts)

    @property
    def drawn_spans(self) -> tuple[Span, ...]:
        """As many records as are seen at a glance, in their order: of more, those begun last."""
        latest = sorted(self.spans, key=lambda span: span.start or self.first, reverse=True)[:_SPANS_AT_MOST]
        return tuple(span for span in self.spans if span in latest)


def compose_trends(assessment: Assessment, knowledge: Knowledge, looked_at: Range = Range.ALL) -> TrendView:
    """The view of one assessment, back to where one looks."""
    words = Wording(knowledge.wording)
    now = assessment.as_of.replace(tzinfo=None)
    traced = (_chart_of(trend, words) for trend in trace(assessment, knowledge.guideline))
    charts = [*traced, *_hemoglobin(assessment, words)]
    first, last = _axis(charts, now)
    since = now - timedelta(days=_DAYS[looked_at]) if looked_at in _DAYS else None
    return TrendView(
        charts=tuple(_since(chart, since) for chart in charts) if since else tuple(charts),
        spans=tuple(span for span in spans_of(assessment.picture, knowledge, now) if span.reaches(since or first)),
        first=since or first,
        last=last,
        range=looked_at,
    )


def _axis(charts: Iterable[Chart], now: datetime) -> tuple[datetime, datetime]:
    """From the oldest result that could be used (else the oldest that couldn't) to now."""
    points = [one for chart in charts for one in chart.points]
    times = [one.at for one in points if one.at and now - _LIFETIME <= one.at <= now + _CLOCKS_DIFFER]
    used = [one.at for one in points if one.value is not None and one.at and one.at >= now - _LIFETIME]
    return min(used or times, default=now), max([now, *times])


def _since(chart: Chart, first: datetime) -> Chart:
    """The chart without what is older; what has no date stays."""
    kept = tuple(point for point in chart.points if point.at is None or point.at >= first)
    run = (max(chart.run[0], first), chart.run[1]) if chart.run and chart.run[1] >= first else None
    return replace(chart, points=kept, run=run)


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
        compressed_says=words.plain("trend.page.compressed"),
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
