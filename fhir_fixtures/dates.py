"""The day the fixtures are told on. Knows no FHIR resource and no clock."""

from datetime import UTC, date, datetime, timedelta

REFERENCE_DAY = date(2026, 1, 15)
AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The instant golden tests evaluate at: noon UTC of the reference day."""


def days_before(days: int) -> date:
    """The date that lies `days` days before the reference day."""
    return REFERENCE_DAY - timedelta(days=days)
