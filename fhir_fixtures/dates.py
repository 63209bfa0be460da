"""The day the fixtures are told on, and how they are moved to another one. Knows no FHIR resource and no clock."""

import re
from datetime import UTC, date, datetime, timedelta

REFERENCE_DAY = date(2026, 1, 15)
AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The instant golden tests evaluate at: noon UTC of the reference day."""

_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(T\S+)?")


def days_before(days: int) -> date:
    """The date that lies `days` days before the reference day."""
    return REFERENCE_DAY - timedelta(days=days)


def moved(value: object, to: date) -> object:
    """JSON `value` with each string that is a whole FHIR date or dateTime moved by `to` minus the reference day.

    Time of day and offset stay, so intervals stay; ages do too, as birth dates move along. Text that merely holds
    a date is left alone.
    """
    if isinstance(value, dict):
        return {key: moved(member, to) for key, member in value.items()}
    if isinstance(value, list):
        return [moved(member, to) for member in value]
    if isinstance(value, str) and (match := _ISO_DATE.fullmatch(value)):
        shifted = date.fromisoformat(match[1]) + (to - REFERENCE_DAY)
        return shifted.isoformat() + (match[2] or "")
    return value
