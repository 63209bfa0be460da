"""What a CDS service is to the rest of the program, and the list of those offered here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.discovery import ServiceDescription
from cds_service.cds_hooks.request import CdsRequest


@dataclass(frozen=True)
class CallFacts:
    """What one log line says of a call: no patient data."""

    verdicts: Mapping[str, str]
    card_ids: tuple[str, ...]
    indicator: str | None
    knowledge_version: str
    fetched: Mapping[str, float]
    not_available: tuple[str, ...] = ()
    set_aside: Mapping[str, int] | None = None
    finding: str | None = None
    """What the card leads with, shown or not."""
    quieted_by: str | None = None
    withheld: str | None = None
    """Why a card that there would be is shown to nobody."""
    used: int = 0
    """How many counts were read and could be used."""
    memory_available: bool = True


class CdsService(Protocol):
    """A service: described in discovery, answering calls."""

    @property
    def description(self) -> ServiceDescription:
        """The discovery entry."""
        ...

    def answer(self, request: CdsRequest, client: CdsClient, as_of: datetime) -> tuple[CdsResponse, CallFacts]:
        """Answer one call of a client as of a point in time.

        Raises:
            cds_service.cds_hooks.errors.CallRefused: when it can't be answered.
        """
        ...
