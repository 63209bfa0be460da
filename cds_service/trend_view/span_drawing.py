"""Medications and conditions beneath the counts, and a line up from where a medication begins. Judges nothing."""

from collections.abc import Sequence

from cds_service.trend_view.spans import Span
from cds_service.trend_view.time_axis import Spec, TimeAxis, milliseconds

_HEIGHT = 26
_LETTER = 6.6
"""Pixels, at most, of a letter on average: a label begins early enough to be read whole."""


def draw_spans(spans: Sequence[Span], axis: TimeAxis) -> Spec:
    """Bars; one whose beginning isn't known starts at the edge, dashed. Each says itself as its `aria-label`."""
    rows = [_row(number, span, axis) for number, span in enumerate(spans)]
    time: Spec = {"type": "temporal", "scale": axis.scale, "axis": axis.look(bottom=True)}
    row: Spec = {"y": {"field": "row", "type": "ordinal", "axis": None}}
    bar = row | _LOOKS | {"x": {"field": "from"} | time, "description": {"field": "says"}}
    label = row | {"x": {"field": "labelled"} | time, "text": {"field": "label"}}
    text = {"type": "text", "align": "left", "dy": -9, "color": "var(--ink)", "limit": axis.width, "aria": False}
    return {
        "width": axis.width,
        "height": _HEIGHT * len(rows),
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 5}, "encoding": bar},
            {"mark": text, "encoding": label},
        ],
    }


def draw_starts(spans: Sequence[Span], axis: TimeAxis) -> list[Spec]:
    """A dotted line through a chart of counts where each medication begins: what falls after it is seen."""
    first, last = axis.domain
    starts = [milliseconds(span.start) for span in spans if span.kind == "medication" and span.start]
    rows = [{"start": start} for start in sorted({*starts}) if first < start < last]
    if not rows:
        return []
    line = {"type": "rule", "color": "var(--medication)", "strokeWidth": 1.25, "strokeDash": [2, 3], "aria": False}
    place: Spec = {"x": {"field": "start", "type": "temporal"}}
    return [{"data": {"values": rows}, "mark": line, "encoding": place}]


def _row(number: int, span: Span, axis: TimeAxis) -> Spec:
    first, last = axis.domain
    label = _cut(span.label, int(axis.width / _LETTER))
    begins = max(first, milliseconds(span.start)) if span.start else first
    return {
        "row": number,
        "from": begins,
        "to": max(begins, min(last, milliseconds(span.end))),
        "kind": span.kind,
        "known": span.start is not None,
        "label": label,
        "labelled": axis.at(max(0.0, min(axis.pixel(begins), axis.width - _LETTER * len(label)))),
        "says": span.says,
    }


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _when(test: str, value: object, otherwise: object) -> Spec:
    return {"condition": {"test": test, "value": value}, "value": otherwise}


_LOOKS: Spec = {
    "x2": {"field": "to"},
    "color": _when("datum.kind == 'medication'", "var(--medication)", "var(--condition)"),
    "strokeDash": _when("datum.known", [1, 0], [3, 2]),
}
