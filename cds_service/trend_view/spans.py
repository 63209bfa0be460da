"""Medications and conditions of note as spans of time, to be seen beneath the counts. Judges nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from cds_service.hematology.clinical_picture import CauseMatch, ClinicalPicture, Use
from cds_service.knowledge.model import Knowledge
from cds_service.services.chart_text import clean_text

_OF_NOTE = frozenset({Use.EVIDENCE, Use.WEAK, Use.CONTEXT})
_LABEL = 48
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

    def reaches(self, since: datetime) -> bool:
        """Whether some of it lies after a point in time."""
        return self.end >= since


def spans_of(picture: ClinicalPicture, knowledge: Knowledge, now: datetime) -> Iterator[Span]:
    """The medications, then the conditions, each by start; what has no start comes first."""
    names = {group.id: group.name for group in knowledge.guideline.groups}
    spans = [
        Span(
            "medication", _label(one.display, one.matches), _groups(one.matches, names), clean_text(one.reference),
            _morning(one.start), now if one.current or one.end is None else _evening(one.end), one.current,
        )
        for one in picture.medications
        if _groups(one.matches, names)
    ]  # fmt: skip
    spans += [
        Span(
            "condition", _label(one.display, one.matches), _groups(one.matches, names), clean_text(one.reference),
            _morning(one.dated), now, True,
        )
        for one in picture.conditions
        if _groups(one.matches, names)
    ]  # fmt: skip
    yield from sorted(spans, key=lambda span: (span.kind == "condition", span.start or _NEVER, span.reference))


def _label(display: str, matches: tuple[CauseMatch, ...]) -> str:
    return clean_text(display or matches[0].display, _LABEL)


def _groups(matches: tuple[CauseMatch, ...], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(names[match.group] for match in matches if match.use in _OF_NOTE and match.group in names)
    )


def _morning(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min)


def _evening(day: date) -> datetime:
    return datetime.combine(day, time.max)
