"""Cards and reports as the summary sees them, to vary in tests. Synthetic throughout."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cds_service.cds_hooks.clients import ANYONE
from cds_service.feedback_summary.fates import Rules
from cds_service.feedback_summary.observed import ObservedCard, Report

GIVEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
KNOWN = ("https://example.org/reasons", "known")
RULES = Rules(AS_OF, timedelta(days=7), {KNOWN: "already-known"})


def card(*reports: Report, **members: Any) -> ObservedCard:
    """A shown warning about leukopenia, given at noon of 2026-01-15 (UTC)."""
    defaults: dict[str, Any] = {
        "client": ANYONE,
        "finding": "leukopenia",
        "indicator": "warning",
        "fingerprint": "one",
        "issued_at": GIVEN,
    }
    return ObservedCard(**(defaults | members), reports=reports)


def report(outcome: str = "overridden", minutes: float = 5, **members: Any) -> Report:
    """A report about an act so many minutes after the card was given, received a minute later."""
    acted_at = GIVEN + timedelta(minutes=minutes)
    defaults: dict[str, Any] = {"acted_at": acted_at, "received_at": acted_at + timedelta(minutes=1)}
    return Report(outcome, **(defaults | members))  # type: ignore[arg-type]


def accepted(minutes: float = 5, **members: Any) -> Report:
    """A suggestion was taken over."""
    return report("accepted", minutes, **members)


def overridden(minutes: float = 5, **members: Any) -> Report:
    """The card was set aside, by default as already known."""
    return report("overridden", minutes, **({"reason": KNOWN} | members))
