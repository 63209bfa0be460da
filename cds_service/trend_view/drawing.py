"""The trends as an SVG, drawn by Vega-Lite on the server: no script, no font and no colour comes from elsewhere.

Colours are CSS variables of the page, so the picture follows light and dark. Low results differ by shape and filling,
too. Each point carries its words as `aria-label`, for screen readers and for the page's own read-out.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from cds_service.trend_view.spans import Span
from cds_service.trend_view.view import SET_ASIDE, Chart, Point, Range, TrendView

Spec = dict[str, object]

WIDTHS = {"narrow": 280, "wide": 640}
"""Of the plot in pixels; the page shows the one that fits."""
_HEIGHT = 108
_SPAN_HEIGHT = 26
_SPANS_AT_MOST = 12
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times are drawn as the record's wall clock shows them
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
    drawn = [chart for chart in view.charts if any(point.at for point in chart.points)]
    if not drawn:
        return ""
    axis = _time_domain(view)
    rows = [_chart(chart, axis, width, bottom=chart is drawn[-1] and not view.spans) for chart in drawn]
    if view.spans:
        rows.append(_spans(view.spans[:_SPANS_AT_MOST], axis, width))
    spec: Spec = {"vconcat": rows, "spacing": 12, "background": None, "padding": 4, "config": _CONFIG}
    return str(vl_convert.vegalite_to_svg(spec))


def warm_up() -> None:
    """Start the drawing engine, which takes longer than any drawing, before the first trend is looked at."""
    moment = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock
    point = Point(moment, Decimal(1), "low", "", "", "", "")
    with suppress(DrawingMissing):
        draw(TrendView((Chart("", "", "", (point,)),), (), moment, moment, Range.ALL), WIDTHS["narrow"])


def _time_domain(view: TrendView) -> list[int]:
    margin = max((view.last - view.first) / 30, timedelta(days=2))
    return [_milliseconds(view.first - margin), _milliseconds(view.last + margin)]


def _milliseconds(moment: datetime) -> int:
    return round((moment - _EPOCH).total_seconds() * 1000)


def _chart(chart: Chart, axis: list[int], width: int, bottom: bool) -> Spec:
    rows = [_row(point) for point in chart.points if point.at]
    highest = _highest(chart)
    place: Spec = {
        "x": {"field": "t", "type": "temporal", "scale": {"type": "utc", "domain": axis}, "axis": _time_axis(bottom)},
        "y": {
            "field": "v",
            "type": "quantitative",
            "scale": {"domain": [0, highest], "nice": False},
            "axis": _COUNT_AXIS,
        },
    }
    subtitle = ", ".join(part for part in (chart.unit, chart.limit_says) if part)
    return {
        "width": width,
        "height": _HEIGHT,
        "title": {"text": chart.title, "subtitle": subtitle, "anchor": "start", "frame": "group"},
        "data": {"values": rows},
        "layer": [*_usual_layer(chart, highest), *_run_layer(chart), *_limit_layers(chart, width), *_layers(place)],
    }


def _row(point: Point) -> Spec:
    return {
        "t": _milliseconds(point.at) if point.at else 0,
        "v": 0 if point.value is None else float(point.value),
        "kind": point.mark,
        "drawn": point.value is not None and point.mark not in {"outdone", "estimate"},
        "says": point.says,
    }


def _highest(chart: Chart) -> float:
    values = [point.value for point in chart.points if point.value is not None]
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
    first, last = map(_milliseconds, chart.run)
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


def _layers(place: Spec) -> list[Spec]:
    line = {"type": "line", "color": "var(--trend)", "strokeWidth": 1.5, "aria": False}
    return [
        {"transform": [{"filter": "datum.drawn"}], "mark": line, "encoding": place},
        {
            "mark": {"type": "point", "opacity": 1, "strokeWidth": 1.75},
            "encoding": place | _LOOKS | {"description": {"field": "says"}},
        },
    ]


def _spans(spans: Sequence[Span], axis: list[int], width: int) -> Spec:
    """Bars beneath the counts; one whose beginning isn't known starts at the edge, dashed."""
    rows = [_span_row(number, span, axis) for number, span in enumerate(spans)]
    place: Spec = {
        "x": {
            "field": "from",
            "type": "temporal",
            "scale": {"type": "utc", "domain": axis},
            "axis": _time_axis(bottom=True),
        },
        "y": {"field": "row", "type": "ordinal", "axis": None},
    }
    label = {"type": "text", "align": "left", "dy": -9, "color": "var(--ink)", "limit": width, "aria": False}
    return {
        "width": width,
        "height": _SPAN_HEIGHT * len(rows),
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 5, "aria": False}, "encoding": place | _SPAN_LOOKS},
            {"mark": label, "encoding": place | {"text": {"field": "label"}}},
        ],
    }


def _span_row(number: int, span: Span, axis: list[int]) -> Spec:
    first, last = axis
    return {
        "row": number,
        "from": max(first, _milliseconds(span.start)) if span.start else first,
        "to": min(last, _milliseconds(span.end)),
        "kind": span.kind,
        "known": span.start is not None,
        "label": span.label,
    }


def _when(test: str, value: object, otherwise: object) -> Spec:
    return {"condition": {"test": test, "value": value}, "value": otherwise}


def _time_axis(bottom: bool) -> Spec:
    look = {
        "title": None,
        "grid": False,
        "format": "%d %b %y",
        "tickCount": 5,
        "labelOverlap": True,
        "labelFlush": True,
    }
    return {**look, "labels": bottom, "ticks": bottom, "domain": bottom}


_ONCE: Spec = {"values": [{}]}
_LOW = "datum.kind == 'low'"
_LOOKS: Spec = {
    "shape": {
        "condition": [{"test": f"datum.kind == '{mark}'", "value": shape} for mark, shape in _SHAPES.items()],
        "value": "circle",
    },
    "size": {
        "condition": [
            {"test": _LOW, "value": 84},
            {"test": "datum.kind == 'outdone'", "value": 18},
        ],
        "value": 52,
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
_SPAN_LOOKS: Spec = {
    "x2": {"field": "to"},
    "color": _when("datum.kind == 'medication'", "var(--medication)", "var(--condition)"),
    "strokeDash": _when("datum.known", [1, 0], [3, 2]),
}
_COUNT_AXIS: Spec = {"title": None, "tickCount": 3, "grid": True, "domain": False, "ticks": False, "labelPadding": 6}
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
