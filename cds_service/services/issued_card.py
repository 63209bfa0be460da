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


class IssuedCards(Protocol):
    """Where issued cards are kept."""

    def record(self, cards: Sequence[IssuedCard]) -> None:
        """Keep them all or none; a card that is there already, of a retried call, stays as it is.

        Raises:
            cds_service.cds_hooks.errors.StoreUnavailable: none was kept.
        """
        ...
