"""What became of a card: the rules, one by one. Pure; time is handed in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cds_service.feedback_summary.observed import ObservedCard, Report


class Kind(StrEnum):
    """A card has exactly one of these fates."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"
    IGNORED = "ignored"
    """Shown, and nothing was reported within the days that a client is given."""
    WAITING = "waiting"
    """Shown so lately that a report may still come."""
    QUIETED = "quieted"
    WITHHELD = "withheld"
    """Not shown for another reason, such as a reader who is the patient."""


SHOWN = (Kind.ACCEPTED, Kind.OVERRIDDEN, Kind.IGNORED, Kind.WAITING)
NO_REASON = "no-reason"
OTHER_REASON = "other"
"""A reason that isn't ours: a client's own code is free text, which may hold anything, and isn't repeated."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a card. `why`: the name of an override's reason, or what kept the card quiet."""

    kind: Kind
    why: str = ""


@dataclass(frozen=True)
class Rules:
    """`as_of`: when the summary is made. `ignored_after`: how long a report is waited for. `reasons`: our names."""

    as_of: datetime
    ignored_after: timedelta
    reasons: Mapping[tuple[str, str], str]

    def fate_of(self, card: ObservedCard) -> Fate:
        """The fate of one card. A report counts however late it comes; of several, the last."""
        if not card.shown:
            return Fate(Kind.QUIETED, card.quieted_by) if card.quieted_by else Fate(Kind.WITHHELD)
        report = last_of(card.reports)
        return self.unanswered(card) if report is None else self.answered(report)

    def answered(self, report: Report) -> Fate:
        """The fate that a report tells."""
        if report.outcome == "accepted":
            return Fate(Kind.ACCEPTED)
        return Fate(Kind.OVERRIDDEN, name_reason(report.reason, self.reasons))

    def unanswered(self, card: ObservedCard) -> Fate:
        """The fate of a shown card that nothing was reported of."""
        return Fate(Kind.WAITING if self.as_of - card.issued_at < self.ignored_after else Kind.IGNORED)


def name_reason(reason: tuple[str, str] | None, ours: Mapping[tuple[str, str], str]) -> str:
    """Our name of an override's reason, given as system and code: one of a few, whatever a client sends."""
    return NO_REASON if reason is None else ours.get(reason, OTHER_REASON)


def last_of(reports: Iterable[Report]) -> Report | None:
    """The report that counts: of the latest act; of one moment, the one that came last."""
    return max(enumerate(reports), key=lambda numbered: (numbered[1].at, numbered[0]), default=(0, None))[1]


def changed_outcome(reports: Sequence[Report]) -> bool:
    """Whether a client reported both outcomes of one card."""
    return len({report.outcome for report in reports}) > 1
