"""The trends as an SVG, drawn by Vega-Lite on the server: no script, no font and no colour comes from elsewhere.

Colours are CSS variables of the page, so the picture follows light and dark. Low results differ by shape and filling,
too. Each point carries its words as `aria-label`, for screen readers and for the page's own read-out.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from cds_service.trend_view.span_drawing import draw_spans, draw_starts
from cds_service.trend_view.time_axis import Spec, TimeAxis, milliseconds
from cds_service.trend_view.view import SET_ASIDE, Chart, Point, Range, TrendView

WIDTHS = {"narrow": 280, "wide": 640}
"""Of the plot in pixels; the page shows the one that fits."""
_HEIGHT = 108
_CROSS = "M-0.7,-0.7L0.7,0.7M0.7,-0.7L-0.7,0.7"
_SHAPES = {
    "low": "triangle-down",
    "unreliable": "triangle-down",
    "estimate": "triangle-up",
    "conflicting": "square",
    "undecided": "diamond",
    SET_ASIDE: _CROSS,
}
"""Any other mark is a circle."""


class DrawingMissing(Exception):
    """The drawing library isn't installed; everything else of the page works without it."""


def draw(view: TrendView, width: int) -> str:
    """The SVG of a view, `width` pixels of plot wide; empty where there is nothing to draw.

    Raises:
        DrawingMissing: the package `vl-convert-python` isn't installed.
    """
    try:
        import vl_convert  # noqa: PLC0415 - large, and only who looks at a trend needs it
    except ImportError:
        raise DrawingMissing from None
    drawn = [chart for chart in view.charts if view.drawn(chart)]
    if not drawn:
        return ""
    axis, spans = TimeAxis(view.first, view.last, width), view.drawn_spans
    starts = draw_starts(spans, axis)
    rows = [_chart(chart, view.drawn(chart), axis, starts, bottom=chart is drawn[-1] and not spans) for chart in drawn]
    if spans:
        rows.append(draw_spans(spans, axis))
    spec: Spec = {"vconcat": rows, "spacing": 12, "background": None, "padding": 4, "config": _CONFIG}
    return str(vl_convert.vegalite_to_svg(spec))


def warm_up() -> None:
    """Start the drawing engine, which takes longer than any drawing, before the first trend is looked at."""
    moment = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock
    point = Point(moment, Decimal(1), "low", "", "", "", "")
    with suppress(DrawingMissing):
        draw(TrendView((Chart("", "", "", (point,)),), (), moment, moment, Range.ALL), WIDTHS["narrow"])


def _chart(chart: Chart, points: Sequence[Point], axis: TimeAxis, starts: list[Spec], bottom: bool) -> Spec:
    rows = [_row(point, chart.title) for point in points]
    highest = _highest(chart, points)
    place: Spec = {
        "x": {"field": "t", "type": "temporal", "scale": axis.scale, "axis": axis.look(bottom)},
        "y": {"field": "v", "type": "quantitative", "scale": _scale(chart, highest), "axis": _count_axis(chart)},
    }
    says = (chart.unit, chart.limit_says, chart.compressed_says if chart.is_compressed else "")
    background = [*_usual_layer(chart, highest), *_run_layer(chart), *starts, *_limit_layers(chart, axis.width)]
    return {
        "width": axis.width,
        "height": _HEIGHT,
        "title": {
            "text": chart.title,
            "subtitle": ", ".join(part for part in says if part),
            "anchor": "start",
            "frame": "group",
        },
        "data": {"values": rows},
        "layer": [*background, *_layers(place, len(rows))],
    }


def _scale(chart: Chart, highest: float) -> Spec:
    """Even; where values lie far above the limit, even up to the limit and ever denser above."""
    even: Spec = {"domain": [0, highest], "nice": False}
    return even | {"type": "symlog", "constant": float(chart.limit or 1)} if chart.is_compressed else even


def _count_axis(chart: Chart) -> Spec:
    """On a compressed scale the numbers worth a line are the powers of ten above the limit."""
    limit = chart.limit
    if limit is None or not chart.is_compressed:
        return _COUNT_AXIS
    return _COUNT_AXIS | {"values": [0, *(10**power for power in range(7) if 10**power > 2 * limit)]}


def _row(point: Point, title: str) -> Spec:
    return {
        "t": milliseconds(point.at) if point.at else 0,
        "v": 0 if point.value is None else float(point.value),
        "kind": point.mark,
        "drawn": point.value is not None and point.mark not in {"outdone", "estimate"},
        "says": f"{point.says}; {title}",
    }


def _highest(chart: Chart, points: Sequence[Point]) -> float:
    values = [point.value for point in points if point.value is not None]
    tops = [max(values, default=Decimal(1)) * Decimal("1.15")]
    tops += [chart.limit * Decimal("1.35")] if chart.limit is not None else []
    return float(max(*tops, Decimal("0.1")))


def _usual_layer(chart: Chart, highest: float) -> list[Spec]:
    low, high = chart.usual
    if low is None and high is None:
        return []
    top = highest if high is None else min(float(high), highest)
    band = {"y": {"datum": float(low or 0)}, "y2": {"datum": top}}
    return [{"data": _ONCE, "mark": {"type": "rect", "color": "var(--usual-band)", "aria": False}, "encoding": band}]


def _run_layer(chart: Chart) -> list[Spec]:
    if chart.run is None:
        return []
    first, last = map(milliseconds, chart.run)
    span = {"x": {"datum": first, "type": "temporal"}, "x2": {"datum": last}}
    return [{"data": _ONCE, "mark": {"type": "rect", "color": "var(--run-band)", "aria": False}, "encoding": span}]


def _limit_layers(chart: Chart, width: int) -> list[Spec]:
    if chart.limit is None:
        return []
    limit: Spec = {"y": {"datum": float(chart.limit)}}
    rule = {"type": "rule", "color": "var(--low)", "strokeDash": [5, 4], "aria": False}
    text = {"type": "text", "align": "left", "color": "var(--low)", "fontWeight": 600, "aria": False}
    return [
        {"data": _ONCE, "mark": rule, "encoding": limit},
        {
            "data": _ONCE,
            "mark": text | {"text": f"{chart.limit.normalize():f}"},
            "encoding": {"x": {"value": width + 5}} | limit,
        },
    ]


def _layers(place: Spec, number: int) -> list[Spec]:
    """The line and the marks, which are smaller where they are many."""
    share = 1.0 if number <= 60 else 0.5 if number <= 250 else 0.3
    line = {"type": "line", "color": "var(--trend)", "strokeWidth": 1.5, "aria": False}
    return [
        {"transform": [{"filter": "datum.drawn"}], "mark": line, "encoding": place},
        {
            "mark": {"type": "point", "opacity": 1, "strokeWidth": 1.75},
            "encoding": place | _LOOKS | {"size": _sizes(share), "description": {"field": "says"}},
        },
    ]


def _sizes(share: float) -> Spec:
    return {
        "condition": [
            {"test": _LOW, "value": 84 * share},
            {"test": "datum.kind == 'outdone'", "value": 18 * share},
        ],
        "value": 52 * share,
    }


_ONCE: Spec = {"values": [{}]}
_LOW = "datum.kind == 'low'"
_LOOKS: Spec = {
    "shape": {
        "condition": [{"test": f"datum.kind == '{mark}'", "value": shape} for mark, shape in _SHAPES.items()],
        "value": "circle",
    },
    "fill": {
        "condition": [
            {"test": _LOW, "value": "var(--low)"},
            {"test": f"datum.kind == '{SET_ASIDE}'", "value": "transparent"},
        ],
        "value": "var(--surface)",
    },
    "stroke": {
        "condition": [
            {"test": "datum.kind == 'low' || datum.kind == 'unreliable'", "value": "var(--low)"},
            {"test": f"datum.kind == '{SET_ASIDE}'", "value": "var(--ink-soft)"},
        ],
        "value": "var(--trend)",
    },
}
_COUNT_AXIS: Spec = {
    "title": None,
    "tickCount": 3,
    "grid": True,
    "domain": False,
    "ticks": False,
    "labelPadding": 6,
    "format": "~f",
    "labelOverlap": True,
}
_CONFIG: Spec = {
    "font": "inherit",
    "view": {"stroke": None},
    "text": {"fontSize": 11},
    "axis": {
        "aria": False,
        "labelColor": "var(--ink-soft)",
        "labelFontSize": 11,
        "gridColor": "var(--line)",
        "tickColor": "var(--line)",
        "domainColor": "var(--line-strong)",
    },
    "title": {
        "aria": False,
        "color": "var(--ink)",
        "subtitleColor": "var(--ink-soft)",
        "fontSize": 12.5,
        "fontWeight": 600,
        "subtitleFontSize": 11,
        "offset": 8,
        "subtitlePadding": 1,
    },
}
