"""Issued cards that no call waits for longer than so long, to be told of them. Knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_service.records.hurry import Hurry
from cds_service.services.issued_card import IssuedCard, IssuedCards, Recollection


@dataclass(frozen=True)
class HurriedCards:
    """The same cards, asked in time or not at all."""

    cards: IssuedCards
    hurry: Hurry

    def recall(self, card: IssuedCard, since: datetime) -> Recollection:
        """As `IssuedCards.recall`.

        Raises:
            StoreUnavailable: it can't be told in time.
        """
        return self.hurry(lambda: self.cards.recall(card, since))

    def record(self, cards: Sequence[IssuedCard]) -> None:
        """As `IssuedCards.record`.

        Raises:
            StoreUnavailable: none was kept.
        """
        self.cards.record(cards)
