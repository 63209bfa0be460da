"""A view of the trends as a part of a page (HTML) and as CSV. Knows no HTTP: addresses are given to it."""

import csv
import io
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from cds_service.services.card_wording import Wording
from cds_service.trend_view.drawing import WIDTHS, DrawingMissing, draw
from cds_service.trend_view.view import SET_ASIDE, TrendView

STATIC = Path(__file__).parent / "static"
"""`trend.css` and `trend.js`, which the page around it links to."""
_ALWAYS_IN_KEY = ("low", "not-low")
_MARKS_IN_KEY = ("unreliable", "conflicting", "undecided", "estimate", SET_ASIDE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_trends(
    view: TrendView, words: Wording, ranges: Mapping[str, str] | None = None, csv_url: str | None = None
) -> Markup:
    """The drawing with its key, and the table. `ranges`: the address of each range of time that may be chosen."""
    return Markup(  # noqa: S704 - the template escapes whatever is filled in
        _template().render(
            view=view,
            say=words.plain,
            drawings=_drawings(view),
            key_entries=tuple(_key_entries(view)),
            notes=tuple(_notes(view, words)),
            ranges=ranges or {},
            csv_url=csv_url,
        )
    )


def trends_csv(view: TrendView) -> str:
    """Every result of the view, one a line (RFC 4180), oldest first.

    A field that a spreadsheet would take for a formula begins with an apostrophe.
    """
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(("analyte", "collected", "reported", "value", "unit", "status", "reference"))
    for chart in view.charts:
        for point in chart.points:
            value = "" if point.value is None else f"{point.value:f}"
            row = (chart.analyte, point.collected, point.reported, value, chart.unit, point.status, point.reference)
            table.writerow(f"'{field}" if field.startswith(_FORMULA) else field for field in row)
    return written.getvalue()


def _drawings(view: TrendView) -> dict[str, Markup]:
    try:
        drawn = {name: draw(view, width) for name, width in WIDTHS.items()}
    except DrawingMissing:
        return {}
    return {name: Markup(svg) for name, svg in drawn.items() if svg}  # noqa: S704 - the library escapes its texts


def _notes(view: TrendView, words: Wording) -> Iterator[str]:
    """What the drawing leaves to the table."""
    if spans := len(view.spans) - len(view.drawn_spans):
        yield words.counted("trend.page.more-spans", spans)
    if view.results_not_drawn:
        yield words.counted("trend.page.more-results", view.results_not_drawn)


def _key_entries(view: TrendView) -> Iterator[str]:
    """What the key explains: the usual marks, and of the rest what is there."""
    marks = {point.mark for chart in view.charts for point in view.drawn(chart)}
    yield from _ALWAYS_IN_KEY
    yield from (mark for mark in _MARKS_IN_KEY if mark in marks)
    yield "limit"
    if any(chart.usual != (None, None) for chart in view.charts):
        yield "usual"
    if any(chart.run for chart in view.charts):
        yield "run"
    kinds = {span.kind for span in view.drawn_spans}
    yield from (kind for kind in ("medication", "condition") if kind in kinds)
    if any(span.kind == "medication" and span.start and span.start > view.first for span in view.drawn_spans):
        yield "start"


@cache
def _template() -> Template:
    loader = PackageLoader("cds_service.trend_view")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("trend.html.j2")
