"""What the page shows, as frozen values: everything counted, named and drawn before a template arranges it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary.charts import MonthAxis, draw_outcomes, draw_override_rates, draw_shown
from cds_service.feedback_summary.fates import Kind
from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.names import Names
from cds_service.feedback_summary.rates import Rate
from cds_service.feedback_summary.summing import Dimension
from cds_service.feedback_summary.tallies import Tally

MAX_MONTHS = 24
"""Months that plots and their tables show, the newest; totals count all."""


@dataclass(frozen=True)
class FindingView:
    """One finding: its counts, and its plots. In silent mode nothing could be answered: only `shown_plot` is there."""

    name: str
    total: Tally
    months: tuple[tuple[date, Tally], ...]
    indicators: tuple[tuple[str, Tally], ...]
    reasons: tuple[tuple[str, Rate], ...]
    shown_plot: Markup
    override_plot: Markup | None
    outcome_plot: Markup | None


@dataclass(frozen=True)
class PageView:
    """The whole page. `first` and `last` are the months of the plots; None where there is no card."""

    made: MadeSummary
    total: Tally
    findings: tuple[FindingView, ...]
    clients: tuple[tuple[CdsClient, Tally], ...]
    months_left_out: int
    first: date | None = None
    last: date | None = None


def view_page(made: MadeSummary, names: Names) -> PageView:
    """Count, name and draw.

    Raises:
        ImportError: the drawing library isn't installed.
    """
    summary = made.summary
    months = sorted({cell.month for cell in summary.cells})
    told = months[-MAX_MONTHS:]
    findings: tuple[FindingView, ...] = ()
    if told:
        axis = MonthAxis(told[0], told[-1])
        by_month = _groups(made, ("finding", "month"))
        highest = max(_height(tally) for _, tally in by_month)
        drawing = _Drawing(made, names, axis, highest)
        findings = tuple(drawing.finding(str(name), tally) for (name,), tally in summary.by(["finding"]).items())
    clients = tuple((key[0], tally) for key, tally in _groups(made, ("client",)) if isinstance(key[0], CdsClient))
    ends = (told[0], told[-1]) if told else (None, None)
    return PageView(made, summary.total, findings, clients, len(months) - len(told), *ends)


@dataclass(frozen=True)
class _Drawing:
    made: MadeSummary
    names: Names
    axis: MonthAxis
    highest: int

    def finding(self, finding: str, total: Tally) -> FindingView:
        months = tuple(
            (month, tally)
            for (name, month), tally in _groups(self.made, ("finding", "month"))
            if name == finding and isinstance(month, date) and month >= self.axis.first
        )
        indicators = tuple(
            (str(indicator), tally)
            for (name, indicator), tally in _groups(self.made, ("finding", "indicator"))
            if name == finding
        )
        live = self.made.period.mode == "live"
        bars = _bars(indicators) if live else []
        shown = [(month, tally.shown, tally.count(Kind.QUIETED)) for month, tally in months]
        return FindingView(
            name=self.names.finding(finding),
            total=total,
            months=months,
            indicators=indicators,
            reasons=tuple(self._reasons(total)),
            shown_plot=draw_shown(shown, self.highest, self.axis),
            override_plot=self._override_plot(months, total) if live else None,
            outcome_plot=draw_outcomes(bars) if bars else None,
        )

    def _override_plot(self, months: Sequence[tuple[date, Tally]], total: Tally) -> Markup:
        return draw_override_rates(
            [(month, one.override_rate) for month, one in months], total.override_rate, self.axis
        )

    def _reasons(self, total: Tally) -> Iterator[tuple[str, Rate]]:
        overridden = total.count(Kind.OVERRIDDEN)
        for reason, number in total.by_reason(Kind.OVERRIDDEN).items():
            yield self.names.display(reason), Rate(number, overridden)


def _groups(made: MadeSummary, dimensions: Sequence[Dimension]) -> list[tuple[tuple[object, ...], Tally]]:
    return list(made.summary.by(dimensions).items())


def _height(tally: Tally) -> int:
    return tally.shown + tally.count(Kind.QUIETED)


def _bars(indicators: Sequence[tuple[str, Tally]]) -> list[tuple[str, dict[Kind, int]]]:
    return [(name, {kind: tally.count(kind) for kind in Kind}) for name, tally in indicators if tally.shown]
