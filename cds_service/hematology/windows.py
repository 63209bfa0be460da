"""Calendar arithmetic of the domain: windows, order and distance of collection times. Knows no counts and no clock."""

from datetime import UTC, date, datetime, time

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import CollectionTime


def within(collected: CollectionTime, as_of: datetime, window: Criterion) -> bool:
    """Whether a collection time lies in the `window` days up to `as_of`, both ends included.

    Timed: at most N x 24 h before. Date only: at most N calendar days before today in UTC. Later than `as_of` is
    inside: how far in the future a result may lie is the reader's rule.
    """
    if collected.instant is None:
        return (as_of.astimezone(UTC).date() - collected.day).days <= window.days
    return as_of - collected.instant <= window.span


def days_before(earlier: date, later: date) -> int:
    """Calendar days from one date to another; negative where `earlier` is in fact later."""
    return (later - earlier).days


def days_apart(one: CollectionTime, other: CollectionTime) -> int:
    """Difference of the calendar dates, each in the offset it was reported with."""
    return abs((one.day - other.day).days)


def chronology(collected: CollectionTime) -> datetime:
    """A sort key over timed and date-only times.

    A date without time stands at noon UTC: that keeps its order to timed results of other dates in every offset from
    -12:00 to +12:00, and the order is total, which comparing by turns instants and dates is not.
    """
    return collected.instant or datetime.combine(collected.day, time(12), UTC)


def same_time(one: CollectionTime, other: CollectionTime) -> bool:
    """Whether two collection times are one: the same instant in any offset, or one date where a time is missing."""
    if one.instant is None or other.instant is None:
        return one.day == other.day
    return one.instant == other.instant


def is_newer(one: CollectionTime, other: CollectionTime) -> bool:
    """Whether `one` was collected after `other`; a date-only and a timed result of one date are one time."""
    return not same_time(one, other) and chronology(one) > chronology(other)
