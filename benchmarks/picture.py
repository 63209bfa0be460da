"""The comparison as a picture (SVG), once for light and once for dark pages. Drawn by Vega-Lite."""

from pathlib import Path
from typing import Any

from vl_convert import vegalite_to_svg

from benchmarks.contenders import SERVICE, YARDSTICKS
from benchmarks.contest import SIZES, Case, Measured

_INKS = {"light": ("#1f2328", "#59636e", "#d1d9e0"), "dark": ("#f0f6fc", "#9198a1", "#3d444d")}
_SERVICE, _OTHERS = "#1f7a5c", "#8b949e"


def draw(measured: Measured, folder: Path) -> list[Path]:
    """Processor time of a call with a finding, each contender, each size; the files written."""
    written = []
    for theme in _INKS:
        path = folder / f"performance-{theme}.svg"
        path.write_text(vegalite_to_svg(_chart(measured, theme)), encoding="utf-8")
        written.append(path)
    return written


def _chart(measured: Measured, theme: str) -> dict[str, Any]:
    names = (SERVICE, *YARDSTICKS)
    return {
        "background": None,
        "config": _config(theme),
        "hconcat": [_panel(measured, size, names, first=size == SIZES[0], ink=_INKS[theme][0]) for size in SIZES],
    }


def _panel(measured: Measured, size: int, names: tuple[str, ...], first: bool, ink: str) -> dict[str, Any]:
    values = [{"name": name, "ms": round(measured.figures[name, Case(size)].cpu_ms, 2)} for name in names]
    most = max(value["ms"] for value in values if isinstance(value["ms"], float))
    y: dict[str, Any] = {"field": "name", "type": "nominal", "sort": list(names), "title": None}
    x = {"field": "ms", "type": "quantitative", "title": None, "scale": {"domain": [0, most * 1.25]}, "axis": None}
    colour = {"condition": {"test": f"datum.name == '{SERVICE}'", "value": _SERVICE}, "value": _OTHERS}
    label = {"type": "text", "align": "left", "dx": 4, "color": ink}
    return {
        "title": f"{size:,} Observations",
        "width": 170,
        "height": {"step": 26},
        "data": {"values": values},
        "encoding": {"y": y if first else y | {"axis": {"labels": False, "ticks": False}}, "x": x},
        "layer": [
            {"mark": "bar", "encoding": {"color": colour}},
            {"mark": label, "encoding": {"text": {"field": "ms", "format": ",.3~r"}}},
        ],
    }


def _config(theme: str) -> dict[str, Any]:
    ink, soft, line = _INKS[theme]
    return {
        "font": "sans-serif",
        "view": {"stroke": None},
        "title": {"color": soft, "anchor": "start", "fontSize": 12},
        "axis": {"labelColor": ink, "labelFontSize": 12, "labelLimit": 220, "domainColor": line, "ticks": False},
        "text": {"fontSize": 12},
    }
