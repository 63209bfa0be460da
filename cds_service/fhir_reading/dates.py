"""FHIR dates and times as points in time, or the reason why they aren't. Never a clock, never a crash.

Room: fhir_reading. Tolerant where the criteria are: a time without zone stands for its whole day.
"""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from cds_service.fhir_reading.projection import Json, is_empty
from cds_service.fhir_reading.releases import Validated
from cds_service.hematology.lab_results import CollectionTime, SetAsideReason

_DATE_TIME = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,30}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_WIDEST_OFFSET = timedelta(hours=14)
_TOLERATED_AHEAD = timedelta(days=1)
_FIRST_AND_LAST = (date.min.year, date.max.year)


def read_time(text: object, from_issued: bool = False) -> CollectionTime | SetAsideReason:
    """A FHIR date, dateTime or instant as a collection time; else date-imprecise or date-invalid."""
    match = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return SetAsideReason.DATE_INVALID
    span = _span(match)
    if span is None:
        return SetAsideReason.DATE_INVALID
    if match["day"] is None:
        return SetAsideReason.DATE_IMPRECISE
    try:
        instant = _instant(match)
    except (ValueError, OverflowError):
        return SetAsideReason.DATE_INVALID
    return CollectionTime(match.string, span[0], instant, from_issued)


def _instant(match: re.Match[str]) -> datetime | None:
    """The point in time, or None without zone; a leap second is the second after it. ValueError, OverflowError."""
    if match["hour"] is None:
        return None
    if match["second"] == "60":
        local = datetime.fromisoformat(match.string.replace(":60", ":59", 1)) + timedelta(seconds=1)
    else:
        local = datetime.fromisoformat(match.string)
    if match["zone"] is None:
        return None
    if not _is_offset(match["zone"]):
        raise ValueError("no such offset")
    if local.year in _FIRST_AND_LAST:
        local.astimezone(UTC)  # OverflowError where no calendar reaches
    return local


@lru_cache(maxsize=128)
def _is_offset(zone: str) -> bool:
    """Whether any place on earth has it."""
    if zone == "Z":
        return True
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return minutes <= 59 and timedelta(hours=hours, minutes=minutes) <= _WIDEST_OFFSET


def _span(match: re.Match[str]) -> tuple[date, date] | None:
    """The first and the last day a date of any precision allows; None when there is no such day."""
    try:
        year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
        first = date(year, month, day)
        if match["day"] is not None:
            return first, first
        last_month = month if match["month"] is not None else 12
        return first, date(year, last_month, calendar.monthrange(year, last_month)[1])
    except (ValueError, IndexError):
        return None


def read_span(text: object) -> tuple[date, date] | None:
    """The first and the last day a date allows; None: not a date."""
    match = _DATE_TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    return None if match is None else _span(match)


def read_day(text: object) -> date | None:
    """The calendar date of a date or dateTime that is precise to the day, in its own offset; else None."""
    span = read_span(text)
    return span[0] if span is not None and span[0] == span[1] else None


def read_instant(text: object) -> datetime | None:
    """The point in time, where text gives one with its zone; else None."""
    time = read_time(text.strip()) if isinstance(text, str) else None
    return time.instant if isinstance(time, CollectionTime) else None


def is_in_future(time: CollectionTime, as_of: datetime) -> bool:
    """Whether a time lies more than a day after `as_of` (dates are compared in UTC)."""
    try:
        latest = as_of.astimezone(UTC) + _TOLERATED_AHEAD
    except OverflowError:
        return False
    return time.instant > latest if time.instant is not None else time.day > latest.date()


def collected(observation: Validated, raw: Json, as_of: datetime) -> CollectionTime | SetAsideReason:
    """When the specimen was collected: effective[x], and only where none is given, `issued`."""
    return not_in_future(_effective_or_issued(observation, raw), as_of)


def not_in_future(time: CollectionTime | SetAsideReason, as_of: datetime) -> CollectionTime | SetAsideReason:
    """A time as it was read, unless it lies too far ahead."""
    ahead = isinstance(time, CollectionTime) and is_in_future(time, as_of)
    return SetAsideReason.DATE_IN_FUTURE if ahead else time


def _effective_or_issued(observation: Validated, raw: Json) -> CollectionTime | SetAsideReason:
    for name in ("effectiveDateTime", "effectiveInstant"):
        if observation.has(name):
            return read_time(observation.elements.get(name))
    if "effectivePeriod" in observation.faulty:
        return SetAsideReason.DATE_INVALID
    if not is_empty(raw.get("effectivePeriod")):
        start = observation.elements.get("effectivePeriod", {}).get("start")
        return SetAsideReason.DATE_MISSING if start is None else read_time(start)
    if not is_empty(raw.get("effectiveTiming")) or not observation.has("issued"):
        return SetAsideReason.DATE_MISSING
    return read_time(observation.elements.get("issued"), from_issued=True)
