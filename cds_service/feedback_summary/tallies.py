"""Counts of cards and of distinct messages, and the rates they give. Pure; counts of parts add up to the whole's."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cds_service.feedback_summary.fates import SHOWN, Fate, Kind
from cds_service.feedback_summary.rates import Rate


@dataclass(frozen=True)
class Tally:
    """`cards`: how many met which fate. `messages`: the same of what was said, however often it was shown.

    `changed`: cards that both outcomes were reported of. `comments`: reports with free text.
    """

    cards: Counter[Fate] = field(default_factory=Counter)
    messages: Counter[Fate] = field(default_factory=Counter)
    changed: int = 0
    comments: int = 0

    @property
    def shown(self) -> int:
        """Cards that were in an answer (in silent mode: would have been)."""
        return sum(_of(self.cards, kind) for kind in SHOWN)

    @property
    def distinct(self) -> int:
        """Distinct messages among the cards shown: the same results said again are one."""
        return sum(self.messages.values())

    def count(self, kind: Kind) -> int:
        """Cards that met this fate, for whatever reason."""
        return _of(self.cards, kind)

    def by_reason(self, kind: Kind) -> dict[str, int]:
        """The same by reason, the most frequent first."""
        found = {fate.why: number for fate, number in self.cards.items() if fate.kind is kind}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def override_rate(self) -> Rate:
        """Overridden among those answered."""
        return _override_rate(self.cards)

    @property
    def override_rate_of_messages(self) -> Rate:
        """The same of distinct messages: a chart opened ten times counts once."""
        return _override_rate(self.messages)

    @property
    def answer_rate(self) -> Rate:
        """Answered among those shown long enough ago."""
        answered = self.override_rate.whole
        return Rate(answered, answered + self.count(Kind.IGNORED))

    @property
    def quiet_rate(self) -> Rate:
        """Quieted among all that could have been shown."""
        quieted = self.count(Kind.QUIETED)
        return Rate(quieted, quieted + self.shown)


def add_up(tallies: Iterable[Tally]) -> Tally:
    """One tally of several, of which no two count the same card."""
    cards: Counter[Fate] = Counter()
    messages: Counter[Fate] = Counter()
    changed = comments = 0
    for tally in tallies:
        cards.update(tally.cards)
        messages.update(tally.messages)
        changed += tally.changed
        comments += tally.comments
    return Tally(cards, messages, changed, comments)


def _of(counts: Counter[Fate], kind: Kind) -> int:
    return sum(number for fate, number in counts.items() if fate.kind is kind)


def _override_rate(counts: Counter[Fate]) -> Rate:
    overridden = _of(counts, Kind.OVERRIDDEN)
    return Rate(overridden, overridden + _of(counts, Kind.ACCEPTED))
