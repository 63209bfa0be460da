"""FHIR dates as ranges of instants, and how a search prefix compares two of them (FHIR R4, Search, 3.1.1.4.5).

Every date covers a half-open range [start, end) in UTC: `2026-03` is a month, `2026-03-01T10:00:00Z` a second.
Knows no resource and no clock.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

Range = tuple[datetime, datetime]

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
PREFIXES = ("eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap")


def date_range(text: str) -> Range | None:
    """The range a FHIR date, dateTime or instant covers; None when it isn't one. Without zone it is read as UTC."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    *fields, fraction, zone = match.groups()
    given = [int(field) for field in fields if field is not None]
    try:
        year, month, day, hour, minute, second = given + [0, 1, 1, 0, 0, 0][len(given) :]
        start = datetime(year, month, day, hour, minute, tzinfo=UTC) - _offset(zone)
        start += timedelta(seconds=min(second, 60), microseconds=int((fraction or "0")[:6].ljust(6, "0")))
        return start, _end(start, len(given) + (fraction is not None))
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "Z"):
        return timedelta()
    sign = -1 if zone.startswith("-") else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))


def _end(start: datetime, precision: int) -> datetime:
    """The end of what begins at `start`; `precision` is how many parts were given: 1 a year, 3 a day, 7 a fraction."""
    if precision == 1:
        return start.replace(year=start.year + 1)
    if precision == 2:
        return (start + timedelta(days=32)).replace(day=1)
    return start + {3: timedelta(days=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}.get(
        precision, timedelta(microseconds=1)
    )


def element_range(value: object) -> Range | None:
    """The range of a date-like element read from JSON: date, dateTime, instant, Period, events of a Timing."""
    if isinstance(value, str):
        return date_range(value)
    if not isinstance(value, Mapping):
        return None
    if "start" in value or "end" in value:
        start, end = date_range(str(value.get("start", ""))), date_range(str(value.get("end", "")))
        return (start[0] if start else EARLIEST, end[1] if end else LATEST)
    events = [found for event in value.get("event") or () if (found := date_range(str(event)))]
    return (min(e[0] for e in events), max(e[1] for e in events)) if events else None


def _equal(asked: Range, held: Range) -> bool:
    return asked[0] <= held[0] and held[1] <= asked[1]


def _approximately(asked: Range, held: Range) -> bool:
    slack = max(asked[1] - asked[0], timedelta(days=1))
    return held[0] < asked[1] + slack and asked[0] - slack < held[1]


COMPARE: Mapping[str, Callable[[Range, Range], bool]] = {
    "eq": _equal,
    "ne": lambda asked, held: not _equal(asked, held),
    "gt": lambda asked, held: held[1] > asked[1],
    "lt": lambda asked, held: held[0] < asked[0],
    # Read generously, as HAPI does: a period that has begun by the day asked for is at or before that day.
    "ge": lambda asked, held: held[1] > asked[0],
    "le": lambda asked, held: held[0] < asked[1],
    "sa": lambda asked, held: held[0] >= asked[1],
    "eb": lambda asked, held: held[1] <= asked[0],
    "ap": _approximately,
}


def split_prefix(value: str) -> tuple[str, str]:
    """`ge2026-01-01` as ("ge", "2026-01-01"); without a prefix it is "eq"."""
    return (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
