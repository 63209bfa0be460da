"""What is known of one card once time has passed: how it was given, and what was reported of it. Frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.feedback import Outcome

Mode = Literal["live", "silent"]


@dataclass(frozen=True)
class Period:
    """Which cards: by when they were given (`since` inclusive, `until` exclusive), to whom, and in which mode."""

    mode: Mode = "live"
    since: datetime | None = None
    until: datetime | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a client about one card.

    `acted_at` is when the clinician acted, by the client's clock; `reason` system and code of an override.
    """

    outcome: Outcome
    acted_at: datetime
    received_at: datetime
    reason: tuple[str, str] | None = None
    commented: bool = False

    @property
    def at(self) -> datetime:
        """When it happened: never later than it was told, whatever the client's clock says."""
        return min(self.acted_at, self.received_at)


@dataclass(frozen=True, slots=True)
class ObservedCard:
    """One card of one hook instance (a retry is the same card), with its reports in the order they came.

    `shown`: it was in the answer; in silent mode, it would have been. `quieted_by` says what kept it quiet.
    """

    client: CdsClient
    finding: str
    indicator: str
    fingerprint: str
    issued_at: datetime
    shown: bool = True
    quieted_by: str | None = None
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True)
class UncountedReports:
    """Reports that are in no count, by why.

    `foreign`: the card was never issued to this client; `forgotten`: it was, and is no longer kept; `unknown`: reported
    before issued cards were kept, so that it can't be told.
    """

    foreign: int = 0
    forgotten: int = 0
    unknown: int = 0


@dataclass(frozen=True)
class Comment:
    """A clinician's free text, which may hold patient data, and the card that it was about."""

    text: str
    received_at: datetime
    client: CdsClient
    card: str
    outcome: str
    finding: str | None = None
    indicator: str | None = None
    reason: tuple[str, str] | None = None
