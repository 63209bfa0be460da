"""Numbers and dates as a card shows them. Knows no sentence.

A number is shown as reported, with at most 4 significant digits, and never so rounded that it reads on the other side
of a limit: 3.9996 is below 4.0 and must not read 4.000.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction

from cds_service.hematology.criteria import Bands, Criterion, Guideline
from cds_service.hematology.lab_results import CollectionTime, Comparator, CountResult
from cds_service.services.card_wording import Plain
from cds_service.services.chart_text import clean_text

COUNT_UNIT = "10*9/L"
_DIGITS = 4
_UNIT_CHARACTERS = 24


def count_limits(guideline: Guideline) -> tuple[Decimal, ...]:
    """Every number of the guideline a count is compared with, in 10*9/L."""
    return tuple(sorted({one.value for one in criteria_of(guideline) if one.unit == COUNT_UNIT}))


def criteria_of(guideline: Guideline) -> Iterator[Criterion]:
    """Every number of the guideline."""
    for entry in fields(guideline):
        value = getattr(guideline, entry.name)
        yield from (value,) if isinstance(value, Criterion) else value.below if isinstance(value, Bands) else ()


def reported_number(result: CountResult, limits: Iterable[Decimal]) -> Plain:
    """The number of the record, with its comparator."""
    try:
        number = _rounded(Decimal(result.reported_value), result.value, tuple(limits))
    except InvalidOperation:
        number = result.reported_value
    return Plain(clean_text(bound_text(result.comparator) + number, _UNIT_CHARACTERS))


def converted_number(result: CountResult, limits: Iterable[Decimal]) -> str:
    """The number in 10*9/L, with its comparator."""
    return bound_text(result.comparator) + plain_number(Decimal(_rounded(result.value, result.value, tuple(limits))))


def is_converted(result: CountResult) -> bool:
    """Whether the number in 10*9/L isn't the reported one."""
    try:
        return Decimal(result.reported_value) != result.value
    except InvalidOperation:
        return True


def reported_unit(result: CountResult) -> Plain:
    """The unit of the record, cut to a length (chart text: clean, not escaped)."""
    return Plain(clean_text(result.reported_unit, _UNIT_CHARACTERS))


def bound_text(comparator: Comparator) -> str:
    """The comparator as shown before a number."""
    return "" if comparator is Comparator.EXACT else comparator.value


def plain_number(number: Decimal) -> str:
    """A number without exponent and without needless zeros."""
    return f"{number.normalize():f}" if number else "0"


def difference_number(difference: Decimal) -> str:
    """The size of a change, with at most 4 significant digits."""
    size = abs(difference)
    return plain_number(Decimal(_rounded(size, size, ())))


def collected_text(collected: CollectionTime) -> str:
    """When a specimen was collected, in the offset it was reported with: 2026-01-12 08:15 -05:00, or the day alone."""
    if collected.instant is None:
        return collected.day.isoformat()
    told = collected.instant.isoformat(" ", "minutes")
    moment, zone = told[:16], told[16:22]
    return f"{moment} UTC" if zone == "+00:00" else f"{moment} {zone}"


def utc_text(moment: datetime) -> str:
    """A point in time in UTC, to the second (RFC 3339)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def utc_day(moment: datetime) -> date:
    """The calendar date of a point in time, in UTC."""
    return moment.astimezone(UTC).date()


def _rounded(number: Decimal, value: Decimal, limits: tuple[Decimal, ...]) -> str:
    """At most 4 significant digits of `number`, whose worth in 10*9/L is `value`."""
    if not number:
        return "0"
    if len((written := f"{number:f}").replace(".", "")) <= _DIGITS:
        return written
    step = Decimal(1).scaleb(number.adjusted() - _DIGITS + 1)
    for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
        candidate = number.quantize(step, rounding=rounding)
        if not any(_crosses(candidate, number, value, limit) for limit in limits):
            return f"{candidate:f}"
    return written


def _crosses(candidate: Decimal, number: Decimal, value: Decimal, limit: Decimal) -> bool:
    read = Fraction(candidate) * Fraction(value) / Fraction(number)
    return (read < limit) != (value < limit)
