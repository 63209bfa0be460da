"""The trend as an SVG, drawn by Vega-Lite. Its colours are the page's CSS variables, so it follows light and dark."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup

from cds_service.sandbox.trend import TrendPoint, TrendSeries

Spec = dict[str, object]

_WIDTH, _HEIGHT = 310, 104
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times are drawn as the record's wall clock shows them


def draw_trend(series: Sequence[TrendSeries], as_of: datetime) -> Markup | None:
    """Small charts above each other on one time axis; None when there is nothing to draw or nothing to draw with.

    A low count is a filled triangle pointing down, any other a ring; the limit is a dashed line.
    """
    try:
        import vl_convert  # noqa: PLC0415 - large, and only this page needs it
    except ImportError:
        return None
    drawn = [one for one in series if one.points]
    if not drawn:
        return None
    axis = _time_domain([point.collected for one in drawn for point in one.points], as_of)
    charts = [_chart(one, axis, bottom=one is drawn[-1]) for one in drawn]
    spec: Spec = {"vconcat": charts, "spacing": 14, "background": None, "padding": 4, "config": _CONFIG}
    return Markup(vl_convert.vegalite_to_svg(spec))  # noqa: S704 - made of numbers and our own words only


def warm_up() -> None:
    """Start the drawing engine, which takes longer than any drawing, before the first chart is opened."""
    moment = datetime.now(UTC)
    draw_trend(
        [TrendSeries("", Decimal(1), (TrendPoint(moment.replace(tzinfo=None), Decimal(1), "", low=False),))], moment
    )


def _time_domain(times: Sequence[datetime], as_of: datetime) -> list[int]:
    first, last = min(times), max(*times, as_of.replace(tzinfo=None))
    margin = max((last - first) / 25, timedelta(days=2))
    return [_milliseconds(first - margin), _milliseconds(last + margin)]


def _milliseconds(moment: datetime) -> int:
    return round((moment - _EPOCH).total_seconds() * 1000)


def _chart(one: TrendSeries, axis: list[int], bottom: bool) -> Spec:
    limit = float(one.limit)
    rows = [
        {"t": _milliseconds(point.collected), "v": float(point.value), "low": point.low, "says": f"{point.value:f}"}
        for point in one.points
    ]
    highest = max(limit * 1.35, max(float(point.value) for point in one.points) * 1.15)
    time = {"field": "t", "type": "temporal", "scale": {"type": "utc", "domain": axis}, "axis": _time_axis(bottom)}
    count = {
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": [0, highest], "nice": False},
        "axis": _COUNT_AXIS,
    }
    unit = f"{one.unit}, low below {one.limit:f}"
    title = {"text": one.analyte.capitalize(), "subtitle": unit, "anchor": "start", "frame": "group"}
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "title": title,
        "data": {"values": rows},
        "layer": [*_limit_layers(limit, f"{one.limit:f}"), *_count_layers({"x": time, "y": count})],
    }


def _limit_layers(limit: float, label: str) -> list[Spec]:
    band = {"type": "rect", "color": "var(--low-band)"}
    rule = {"type": "rule", "color": "var(--low)", "strokeDash": [5, 4]}
    text = {"type": "text", "align": "left", "color": "var(--low)", "fontWeight": 600, "text": label}
    once: Spec = {"values": [{}]}
    return [
        {"data": once, "mark": band, "encoding": {"y": {"datum": 0}, "y2": {"datum": limit}}},
        {"data": once, "mark": rule, "encoding": {"y": {"datum": limit}}},
        {"data": once, "mark": text, "encoding": {"x": {"value": _WIDTH + 5}, "y": {"datum": limit}}},
    ]


def _count_layers(place: Spec) -> list[Spec]:
    newest = [
        {"window": [{"op": "last_value", "field": "t", "as": "newest"}], "frame": [None, None]},
        {"filter": "datum.t == datum.newest"},
    ]
    return [
        {"mark": {"type": "line", "color": "var(--trend)", "strokeWidth": 1.5}, "encoding": place},
        {"mark": {"type": "point", "opacity": 1, "strokeWidth": 1.75}, "encoding": {**place, **_BY_LOW}},
        {
            "mark": {"type": "text", "dy": -11, "color": "var(--ink)", "fontWeight": 600},
            "transform": newest,
            "encoding": {**place, "text": {"field": "says"}},
        },
    ]


def _when_low(low: object, otherwise: object) -> Spec:
    return {"condition": {"test": "datum.low", "value": low}, "value": otherwise}


def _time_axis(bottom: bool) -> Spec:
    look = {"title": None, "grid": False, "format": "%d %b", "tickCount": 5, "labelOverlap": True, "labelFlush": True}
    return {**look, "labels": bottom, "ticks": bottom, "domain": bottom}


_BY_LOW: Spec = {
    "shape": _when_low("triangle-down", "circle"),
    "size": _when_low(80, 46),
    "fill": _when_low("var(--low)", "var(--surface)"),
    "stroke": _when_low("var(--low)", "var(--trend)"),
}
_COUNT_AXIS: Spec = {"title": None, "tickCount": 3, "grid": True, "domain": False, "ticks": False, "labelPadding": 6}
_CONFIG: Spec = {
    "aria": False,
    "font": "inherit",
    "view": {"stroke": None},
    "text": {"fontSize": 11},
    "axis": {
        "labelColor": "var(--ink-soft)",
        "labelFontSize": 11,
        "gridColor": "var(--line)",
        "tickColor": "var(--line)",
        "domainColor": "var(--line-strong)",
    },
    "title": {
        "color": "var(--ink)",
        "subtitleColor": "var(--ink-soft)",
        "fontSize": 12.5,
        "fontWeight": 600,
        "subtitleFontSize": 11,
        "offset": 8,
        "subtitlePadding": 1,
    },
}
