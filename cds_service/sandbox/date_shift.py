"""Moving a resource in time: every date by the same number of days. Pure; knows no clock and no server."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d\S*)?")

# Members that hold names, identifiers, versions or prose: what looks like a date there isn't one.
_NEVER_DATES = frozenset(
    {"id", "value", "version", "versionId", "display", "text", "div", "code", "system", "url", "reference", "fullUrl"}
)


def shift_dates(resource: Mapping[str, object], days: int) -> dict[str, object]:
    """The resource with every FHIR date, dateTime and instant of at least day precision moved by `days`.

    Times and offsets stay as they are, and so does what is no date: a year, a month, an impossible day.
    """
    return {
        name: value if name in _NEVER_DATES and isinstance(value, str) else _shifted(value, days)
        for name, value in resource.items()
    }


def _shifted(value: object, days: int) -> object:
    if isinstance(value, Mapping):
        return shift_dates(value, days)
    if isinstance(value, list):
        return [_shifted(item, days) for item in value]
    return _shifted_text(value, days) if isinstance(value, str) else value


def _shifted_text(text: str, days: int) -> str:
    match = _DAY.fullmatch(text)
    if match is None:
        return text
    try:
        return (date.fromisoformat(match[1]) + timedelta(days=days)).isoformat() + (match[2] or "")
    except (ValueError, OverflowError):
        return text
