"""What a client reports of a card (CDS Hooks 3.0, Feedback), as frozen values. Knows no database, no Flask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from cds_service.cds_hooks.clients import CdsClient

Outcome = Literal["accepted", "overridden"]


@dataclass(frozen=True)
class ReasonCoding:
    """The coded reason for an override; clients need not send its display."""

    code: str
    system: str
    display: str | None = None


@dataclass(frozen=True)
class FeedbackEntry:
    """What happened to one card.

    `card` and `accepted_suggestions` are UUIDs in lower case; `outcome_timestamp` is in UTC; `user_comment` is
    free text by a clinician, which may hold patient data: it is stored, never logged.
    """

    card: str
    outcome: Outcome
    outcome_timestamp: datetime
    accepted_suggestions: tuple[str, ...] = ()
    override_reason: ReasonCoding | None = None
    user_comment: str | None = None


class FeedbackStore(Protocol):
    """Where feedback goes before it is acknowledged."""

    def store(
        self, entries: Sequence[FeedbackEntry], received_at: datetime, service_id: str, client: CdsClient
    ) -> Sequence[FeedbackEntry]:
        """Store all entries of a report by this client, or none.

        Returns:
            Those that are news: not reported before, and not known to be about a card of somebody else's.

        Raises:
            cds_service.cds_hooks.errors.StoreUnavailable: nothing was stored.
        """
        ...
