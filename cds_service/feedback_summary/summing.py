"""From a stream of cards to the summary, in one pass that remembers one message at a time. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from itertools import groupby
from typing import Literal

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary.fates import SHOWN, Fate, Kind, Rules, changed_outcome, last_of
from cds_service.feedback_summary.observed import ObservedCard, Report, UncountedReports
from cds_service.feedback_summary.tallies import Tally, add_up

Dimension = Literal["finding", "indicator", "client", "month"]
DIMENSIONS: tuple[Dimension, ...] = ("finding", "indicator", "client", "month")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is counted together. `month`: the first day of the month, in UTC, in which the card was given."""

    finding: str
    indicator: str
    client: CdsClient
    month: date


@dataclass(frozen=True)
class Summary:
    """The whole. `reports_on_unshown` were about cards that nobody was shown, and are in no count either."""

    cells: Mapping[Cell, Tally]
    reports_on_unshown: int = 0
    uncounted: UncountedReports = field(default_factory=UncountedReports)

    @property
    def total(self) -> Tally:
        """All cells together."""
        return add_up(self.cells.values())

    def by(self, dimensions: Sequence[Dimension]) -> dict[tuple[object, ...], Tally]:
        """Counts by these dimensions, sorted by them."""
        found: defaultdict[tuple[object, ...], list[Tally]] = defaultdict(list)
        for cell, tally in self.cells.items():
            found[tuple(getattr(cell, one) for one in dimensions)].append(tally)
        return {key: add_up(found[key]) for key in sorted(found, key=_sortable)}


def summarise(cards: Iterable[ObservedCard], rules: Rules, uncounted: UncountedReports | None = None) -> Summary:
    """Count.

    Args:
        cards: each card once; the cards of one client and fingerprint follow each other, the earliest first.
        rules: what becomes of a card.
        uncounted: reports that belong to no card.
    """
    counting = _Counting(rules)
    for _, message in groupby(cards, key=lambda card: (card.client, card.fingerprint)):
        counting.add_message(message)
    return Summary(counting.tallies(), counting.reports_on_unshown, uncounted or UncountedReports())


class _Counting:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._cards: defaultdict[Cell, Counter[Fate]] = defaultdict(Counter)
        self._messages: defaultdict[Cell, Counter[Fate]] = defaultdict(Counter)
        self._changed: Counter[Cell] = Counter()
        self._comments: Counter[Cell] = Counter()
        self.reports_on_unshown = 0

    def add_message(self, cards: Iterable[ObservedCard]) -> None:
        """Count the cards, and what they said together: in the cell of the first one shown, by the last report."""
        first: Cell | None = None
        said: Report | None = None
        unanswered = Fate(Kind.IGNORED)
        for card in cards:
            cell, fate = cell_of(card), self._rules.fate_of(card)
            self._cards[cell][fate] += 1
            if fate.kind not in SHOWN:
                self.reports_on_unshown += len(card.reports)
                continue
            first = first or cell
            said = last_of([*([said] if said else []), *card.reports])
            unanswered = fate if fate.kind is Kind.WAITING else unanswered
            self._changed[cell] += changed_outcome(card.reports)
            self._comments[cell] += sum(report.commented for report in card.reports)
        if first is not None:
            self._messages[first][self._rules.answered(said) if said else unanswered] += 1

    def tallies(self) -> dict[Cell, Tally]:
        return {
            cell: Tally(counts, self._messages[cell], self._changed[cell], self._comments[cell])
            for cell, counts in self._cards.items()
        }


def cell_of(card: ObservedCard) -> Cell:
    """Where a card is counted."""
    day = card.issued_at.astimezone(UTC)
    return Cell(card.finding, card.indicator, card.client, date(day.year, day.month, 1))


_INSISTENCE = {"critical": "0", "warning": "1", "info": "2"}


def _sortable(key: tuple[object, ...]) -> list[str]:
    named = [f"{one.issuer or ''} {one.tenant or ''}" if isinstance(one, CdsClient) else str(one) for one in key]
    return [_INSISTENCE.get(one, one) for one in named]
