"""The trend as an SVG, drawn by Vega-Lite. Its colours are the page's CSS variables, so it follows light and dark."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from cds_service.sandbox.trend import TrendSeries

Spec = dict[str, object]

_WIDTH, _HEIGHT = 330, 104
_FONT = "inherit"


def draw_trend(series: Sequence[TrendSeries], as_of: datetime) -> Markup | None:
    """Small charts above each other on one time axis; None when nothing can be drawn.

    A low count is a filled triangle pointing down, any other a ring; the limit is a dashed line.
    """
    times = [point.collected for one in series for point in one.points]
    try:
        import vl_convert  # noqa: PLC0415 - large, and only the chart page needs it
    except ImportError:
        return None
    if not times:
        return None
    first, last = min(times), max(*times, as_of.replace(tzinfo=None))
    margin = max((last - first) / 25, timedelta(days=2))
    axis = [_milliseconds(first - margin), _milliseconds(last + margin)]
    drawn = [one for one in series if one.points]
    charts = [_chart(one, axis, bottom=one is drawn[-1]) for one in drawn]
    spec: Spec = {"vconcat": charts, "spacing": 14, "background": None, "padding": 4, "config": _CONFIG}
    return Markup(vl_convert.vegalite_to_svg(spec))  # noqa: S704 - made of numbers and our own words only


def _milliseconds(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001 - wall-clock times, drawn as such


def _chart(one: TrendSeries, axis: list[int], bottom: bool) -> Spec:
    limit = float(one.limit)
    rows = [
        {"t": _milliseconds(p.collected), "v": float(p.value), "low": p.low, "says": f"{p.value:f}"} for p in one.points
    ]
    highest = max(limit * 1.35, max(float(p.value) for p in one.points) * 1.15)
    time = {"field": "t", "type": "temporal", "scale": {"type": "utc", "domain": axis}, "axis": _time_axis(bottom)}
    count = {
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": [0, highest], "nice": False},
        "axis": _COUNT_AXIS,
    }
    at_limit = {"y": {"datum": limit}}
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "title": {
            "text": f"{one.analyte.value.capitalize()}",
            "subtitle": one.unit,
            "anchor": "start",
            "frame": "group",
        },
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rect", "color": "var(--low-band)"},
                "data": {"values": [{}]},
                "encoding": {"y": {"datum": 0}, "y2": {"datum": limit}},
            },
            {
                "mark": {"type": "rule", "color": "var(--low)", "strokeDash": [5, 4]},
                "data": {"values": [{}]},
                "encoding": at_limit,
            },
            {
                "mark": {
                    "type": "text",
                    "align": "right",
                    "baseline": "bottom",
                    "dy": -3,
                    "color": "var(--low)",
                    "text": f"below {one.limit:f} is low",
                },
                "data": {"values": [{}]},
                "encoding": {"x": {"value": _WIDTH - 2}, **at_limit},
            },
            {
                "mark": {"type": "line", "color": "var(--trend)", "strokeWidth": 1.5},
                "encoding": {"x": time, "y": count},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "strokeWidth": 1.75},
                "encoding": {"x": time, "y": count, **_BY_LOW},
            },
            {
                "mark": {"type": "text", "dy": -11, "color": "var(--ink)", "fontWeight": 600},
                "transform": [
                    {"window": [{"op": "last_value", "field": "t", "as": "newest"}], "frame": [None, None]},
                    {"filter": "datum.t == datum.newest"},
                ],
                "encoding": {"x": time, "y": count, "text": {"field": "says"}},
            },
        ],
    }


_BY_LOW: Spec = {
    "shape": {"field": "low", "scale": {"domain": [True, False], "range": ["triangle-down", "circle"]}, "legend": None},
    "size": {"condition": {"test": "datum.low", "value": 80}, "value": 46},
    "fill": {"condition": {"test": "datum.low", "value": "var(--low)"}, "value": "var(--surface)"},
    "stroke": {"condition": {"test": "datum.low", "value": "var(--low)"}, "value": "var(--trend)"},
}  # fmt: skip
_COUNT_AXIS: Spec = {"title": None, "tickCount": 3, "grid": True, "domain": False, "ticks": False, "labelPadding": 6}
_CONFIG: Spec = {
    "aria": False,
    "font": _FONT,
    "view": {"stroke": None},
    "text": {"fontSize": 11},
    "axis": {"labelColor": "var(--ink-soft)", "labelFontSize": 11, "gridColor": "var(--line)", "tickColor": "var(--line)",
             "domainColor": "var(--line-strong)"},
    "title": {"color": "var(--ink)", "subtitleColor": "var(--ink-soft)", "fontSize": 12.5, "fontWeight": 600, "subtitleFontSize": 11,
              "offset": 8, "subtitlePadding": 1},
}  # fmt: skip


def _time_axis(bottom: bool) -> Spec:
    return {"title": None, "grid": False, "labels": bottom, "ticks": bottom, "tickCount": 5, "labelOverlap": True,
            "labelFlush": True, "format": "%d %b", "domain": bottom}  # fmt: skip
