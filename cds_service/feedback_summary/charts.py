"""The page's plots as SVG, drawn by Vega-Lite. Colours are the page's CSS variables, so they follow light and dark.

Knows no word: names are handed in, and what a mark means stands in the page's legend. Outcomes differ by lightness and
by pattern, not by hue alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cds_service.feedback_summary.fates import SHOWN, Kind
from cds_service.feedback_summary.rates import Rate

Spec = dict[str, object]

FEW = 10
"""With fewer answers than this a month's point is hollow."""
_WIDTH = 320
_MONTHS_NAMED = 5
_HALF_A_MONTH = 16 * 86_400_000
_FILL = {
    Kind.ACCEPTED: "var(--accepted)",
    Kind.OVERRIDDEN: "var(--overridden)",
    Kind.IGNORED: "url(#ignored)",
    Kind.WAITING: "var(--surface)",
    Kind.QUIETED: "url(#quieted)",
}
_INK = {Kind.ACCEPTED: "var(--on-accepted)", Kind.OVERRIDDEN: "var(--on-overridden)"}
_LABEL_FROM = 0.15
"""The share of a bar that has room for its number."""


@dataclass(frozen=True)
class MonthAxis:
    """The months that all plots over time share."""

    first: date
    last: date

    @property
    def number(self) -> int:
        """How many months."""
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1

    def encoding(self) -> Spec:
        """As Vega-Lite's x."""
        months = [_shifted(self.first, number) for number in range(self.number)]
        told = [_milliseconds(month) for month in months[:: -(-len(months) // _MONTHS_NAMED)]]
        axis = {"title": None, "grid": False, "format": "%b %y", "values": told}
        domain = [_milliseconds(self.first) - _HALF_A_MONTH, _milliseconds(self.last) + _HALF_A_MONTH]
        return {"field": "month", "type": "temporal", "scale": {"type": "utc", "domain": domain}, "axis": axis}


def draw_override_rates(months: Sequence[tuple[date, Rate]], overall: Rate, axis: MonthAxis) -> Markup:
    """A point a month with its interval; dashed, the rate of the whole time."""
    rows = [
        {"month": _milliseconds(month), "rate": rate.value, "low": rate.interval[0], "high": rate.interval[1],
         "few": rate.whole < FEW}
        for month, rate in months if rate.interval is not None
    ]  # fmt: skip
    place: Spec = {"x": axis.encoding(), "y": {"field": "rate", "type": "quantitative", **_SHARE}}
    reach: Spec = {
        "x": axis.encoding(),
        "y": {"field": "low", "type": "quantitative", **_SHARE},
        "y2": {"field": "high"},
    }
    hollow: Spec = {"condition": {"test": "datum.few", "value": "var(--surface)"}, "value": "var(--overridden-ink)"}
    point: Spec = {"type": "point", "opacity": 1, "size": 60, "stroke": "var(--overridden-ink)", "strokeWidth": 2}
    return _draw(
        {
            "height": 150,
            "data": {"values": rows},
            "layer": [
                _overall(overall),
                {"mark": {"type": "rule", "color": "var(--overridden-ink)", "strokeWidth": 2}, "encoding": reach},
                {"mark": point, "encoding": {**place, "fill": hollow}},
            ],
        }
    )


def draw_outcomes(bars: Sequence[tuple[str, Mapping[Kind, int]]]) -> Markup:
    """One bar for each name, split by what became of the cards shown; the number of cards at its end."""
    rows: list[Spec] = []
    for name, counts in bars:
        shown, before = sum(counts[kind] for kind in SHOWN), 0
        for kind in SHOWN:
            if counts[kind]:
                share, middle = counts[kind] / shown, (before + counts[kind] / 2) / shown
                rows.append(_segment(name, kind, before / shown, middle, share))
                before += counts[kind]
    totals = [{"name": name, "says": f"{sum(counts[kind] for kind in SHOWN):,}"} for name, counts in bars]
    bar: Spec = {"field": "name", "type": "nominal", "sort": [name for name, _ in bars], **_BAR}
    across: Spec = {"type": "quantitative", **_SHARE}
    return _draw(
        {
            "height": {"step": 34},
            "layer": [
                _filled(
                    {"data": {"values": rows}}, {"y": bar, "x": {"field": "low", **across}, "x2": {"field": "high"}}
                ),
                _written({"data": {"values": rows}}, {"y": bar, "x": {"field": "middle", **across}}),
                {
                    "data": {"values": totals},
                    "mark": {"type": "text", "align": "left", "dx": 5, "color": "var(--ink)", "fontWeight": 600},
                    "encoding": {"y": bar, "x": {"datum": 1}, "text": {"field": "says"}},
                },
            ],
        }
    )


def draw_shown(months: Sequence[tuple[date, int, int]], highest: int, axis: MonthAxis) -> Markup:
    """A column a month: cards shown, and above them those kept quiet."""
    rows = [
        row
        for month, shown, quieted in months
        for row in (
            {"month": _milliseconds(month), "low": 0, "high": shown, "fill": _FILL[Kind.ACCEPTED]},
            {"month": _milliseconds(month), "low": shown, "high": shown + quieted, "fill": _FILL[Kind.QUIETED]},
        )
        if row["high"] != row["low"]
    ]
    count: Spec = {"scale": {"domain": [0, 1.05 * max(highest, 1)]}, "axis": _COUNT_AXIS}
    mark: Spec = {"type": "bar", "width": _column_width(axis), **_EDGE}
    encoding: Spec = {
        "x": axis.encoding(),
        "y": {"field": "low", "type": "quantitative", **count},
        "y2": {"field": "high"},
        "fill": {"field": "fill", "type": "nominal", "scale": None},
    }
    return _draw({"height": 130, "data": {"values": rows}, "mark": mark, "encoding": encoding})


def _segment(name: str, kind: Kind, low: float, middle: float, share: float) -> Spec:
    says = f"{100 * share:.0f} %" if kind in _INK and share >= _LABEL_FROM else ""
    colours = {"fill": _FILL[kind], "ink": _INK.get(kind, "var(--ink)")}
    return {"name": name, "low": low, "middle": middle, "high": low + share, "says": says, **colours}


def _filled(layer: Spec, encoding: Spec) -> Spec:
    fill = {"field": "fill", "type": "nominal", "scale": None}
    return {**layer, "mark": {"type": "bar", "height": 22, **_EDGE}, "encoding": {**encoding, "fill": fill}}


def _written(layer: Spec, encoding: Spec) -> Spec:
    colour = {"field": "ink", "type": "nominal", "scale": None}
    text = {"text": {"field": "says"}, "color": colour}
    return {**layer, "mark": {"type": "text", "fontWeight": 600}, "encoding": {**encoding, **text}}


def _overall(rate: Rate) -> Spec:
    """A line at the rate of the whole time; nothing where there is none."""
    at: list[Spec] = [] if rate.value is None else [{"rate": rate.value}]
    dashed = {"type": "rule", "color": "var(--ink-soft)", "strokeDash": [5, 4]}
    return {
        "data": {"values": at},
        "mark": dashed,
        "encoding": {"y": {"field": "rate", "type": "quantitative", **_SHARE}},
    }


def _column_width(axis: MonthAxis) -> float:
    return max(3.0, min(26.0, 0.7 * (_WIDTH - 50) / axis.number))


def _shifted(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _milliseconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000


def _draw(spec: Spec) -> Markup:
    """The SVG. Raises ImportError where the drawing library isn't installed."""
    import vl_convert  # noqa: PLC0415 - large, optional, and only the page needs it

    fit = {"type": "fit-x", "contains": "padding"}
    whole = {"width": _WIDTH, "autosize": fit, "background": None, "padding": 2, "config": _CONFIG, **spec}
    svg = vl_convert.vegalite_to_svg(whole).replace("<svg ", '<svg aria-hidden="true" ', 1)  # its words are beside it
    return Markup(svg)  # noqa: S704 - made of numbers and the knowledge's own words only


_SHARE: Spec = {
    "scale": {"domain": [0, 1], "nice": False},
    "axis": {
        "title": None,
        "labelExpr": "datum.value * 100 + ' %'",
        "values": [0, 0.25, 0.5, 0.75, 1],
        "domain": False,
        "ticks": False,
        "labelFlush": False,
    },
}
_BAR: Spec = {
    "axis": {
        "title": None,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "labelColor": "var(--ink)",
        "minExtent": 56,
        "maxExtent": 56,
    }
}
_COUNT_AXIS: Spec = {
    "title": None, "tickCount": 4, "tickMinStep": 1, "domain": False, "ticks": False, "minExtent": 40, "maxExtent": 40,
}  # fmt: skip
_EDGE: Spec = {"stroke": "var(--edge)", "strokeWidth": 1}
_CONFIG: Spec = {
    "aria": False,
    "font": "inherit",
    "view": {"stroke": None},
    "text": {"fontSize": 12},
    "axis": {
        "labelColor": "var(--ink-soft)",
        "labelFontSize": 12,
        "gridColor": "var(--line)",
        "tickColor": "var(--line-strong)",
        "domainColor": "var(--line-strong)",
    },
}
