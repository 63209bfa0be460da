"""A card that was given, or withheld, as it is remembered: no value, no name. Knows no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from cds_service.cds_hooks.clients import CdsClient


@dataclass(frozen=True)
class Pseudonym:
    """A patient or a user as a keyed hash (hexadecimal), and the id of the key that made it."""

    key_id: str
    hash: str


@dataclass(frozen=True)
class IssuedCard:
    """One card and what is needed to recognise its finding again.

    `shown` is false where the card was quieted (`quieted_by` says by what, until when) or the mode is silent.
    `basis` holds what a later call needs to tell whether things have worsened (JSON).
    """

    card: str
    suggestions: tuple[str, ...]
    client: CdsClient
    service: str
    hook_instance: str
    patient: Pseudonym
    user: Pseudonym | None
    finding: str
    severity_band: str
    indicator: str
    critical: bool
    fingerprint: str
    knowledge_version: str
    issued_at: datetime
    mode: Literal["live", "silent"] = "live"
    shown: bool = True
    quieted_by: str | None = None
    quieted_until: datetime | None = None
    basis: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class AnsweredCard:
    """A card that was shown, and the last report on it.

    `at`: when the clinician acted, never later than the report came. `reason`: system and code of an override.
    """

    card: IssuedCard
    outcome: Literal["accepted", "overridden"]
    at: datetime
    reason: tuple[str, str] | None = None
    accepted: frozenset[str] = frozenset()

    @property
    def took_a_suggestion(self) -> bool:
        """Whether a suggestion of this very card was taken over."""
        return not self.accepted.isdisjoint(self.card.suggestions)


@dataclass(frozen=True)
class Recollection:
    """What is remembered when a card is about to be shown: the same card of the same call, and those answered."""

    again: IssuedCard | None = None
    answered: tuple[AnsweredCard, ...] = ()


class IssuedCards(Protocol):
    """Where issued cards are kept."""

    def recall(self, card: IssuedCard, since: datetime) -> Recollection:
        """What is remembered of this card's patient, client and service, with reports that came after `since`.

        Raises:
            cds_service.cds_hooks.errors.StoreUnavailable: it can't be told just now.
        """
        ...

    def record(self, cards: Sequence[IssuedCard]) -> None:
        """Keep them all or none; a card that is there already, of a retried call, stays as it is.

        Raises:
            cds_service.cds_hooks.errors.StoreUnavailable: none was kept.
        """
        ...


class NothingKept:
    """Issued cards of a site that keeps none (CDS_MEMORY=off)."""

    def recall(self, _card: IssuedCard, _since: datetime) -> Recollection:
        """Nothing."""
        return Recollection()

    def record(self, _cards: Sequence[IssuedCard]) -> None:
        """Keep nothing."""


NOTHING_KEPT = NothingKept()
