"""Medications and conditions of note as spans of time, to be seen beneath the counts. Judges nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from cds_service.hematology.clinical_picture import CauseMatch, ClinicalPicture, Use
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_wording import Wording
from cds_service.services.chart_text import clean_text

Names = Mapping[str, str]
"""What cause groups are called."""

_OF_NOTE = frozenset({Use.EVIDENCE, Use.WEAK, Use.CONTEXT})
_NEVER = datetime(1, 1, 1)  # noqa: DTZ001 - a wall clock, like all of them


@dataclass(frozen=True)
class Span:
    """One record that a cause group has a use for. Without `start` it is not known since when; `is_open`: it goes on.

    `label` is the chart's own name of it (cleaned), or ours where the chart gives none; `groups` are the cause groups.
    """

    kind: Literal["medication", "condition"]
    label: str
    groups: tuple[str, ...]
    reference: str
    start: datetime | None
    end: datetime
    is_open: bool
    time: str
    """From when to when, in words."""

    @property
    def says(self) -> str:
        """The record in one line, for whoever hears it instead of seeing it."""
        return "; ".join((self.label, self.time, ", ".join(self.groups)))

    def reaches(self, since: datetime) -> bool:
        """Whether some of it lies after a point in time."""
        return self.end >= since


def spans_of(picture: ClinicalPicture, knowledge: Knowledge, now: datetime) -> Iterator[Span]:
    """The medications, then the conditions, each by start; what has no start comes first."""
    names = {group.id: group.name for group in knowledge.guideline.groups}
    words = Wording(knowledge.wording)
    spans = [*_medications(picture, names, words, now), *_conditions(picture, names, words, now)]
    yield from sorted(spans, key=lambda span: (span.kind == "condition", span.start or _NEVER, span.reference))


def _medications(picture: ClinicalPicture, names: Names, words: Wording, now: datetime) -> Iterator[Span]:
    for one in picture.medications:
        if groups := _groups(one.matches, names):
            yield Span(
                "medication", _label(one.display, one.matches), groups, clean_text(one.reference), _morning(one.start),
                now if one.current or one.end is None else _evening(one.end), one.current,
                _time(one.start, one.current, one.end, words),
            )  # fmt: skip


def _conditions(picture: ClinicalPicture, names: Names, words: Wording, now: datetime) -> Iterator[Span]:
    for one in picture.conditions:
        if groups := _groups(one.matches, names):
            yield Span(
                "condition", _label(one.display, one.matches), groups, clean_text(one.reference), _morning(one.dated),
                now, True, _time(one.dated, True, None, words),
            )  # fmt: skip


def _time(start: date | None, is_open: bool, end: date | None, words: Wording) -> str:
    ends = words.plain("trend.page.ongoing" if is_open else "trend.page.end-unknown") if is_open or not end else end
    return f"{start or words.plain('trend.page.start-unknown')} – {ends}"


def _label(display: str, matches: tuple[CauseMatch, ...]) -> str:
    return clean_text(display or matches[0].display)


def _groups(matches: tuple[CauseMatch, ...], names: Names) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(names[match.group] for match in matches if match.use in _OF_NOTE and match.group in names)
    )


def _morning(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min)


def _evening(day: date) -> datetime:
    return datetime.combine(day, time.max)
