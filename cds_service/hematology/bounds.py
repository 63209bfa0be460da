"""What a count says about a limit, reported bounds included. Knows no finding: the limit is an argument."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import lt

from cds_service.hematology.lab_results import Comparator, CountResult


def is_below(result: CountResult, limit: Decimal) -> bool | None:
    """Whether the true count is below `limit` (10*9/L, strict); None where a reported bound leaves it open."""
    return _ANSWERS[result.comparator](result.value, limit)


def _not_below(bound: Decimal, limit: Decimal) -> bool | None:
    return False if bound >= limit else None


_ANSWERS: Mapping[Comparator, Callable[[Decimal, Decimal], bool | None]] = {
    Comparator.EXACT: lt,
    Comparator.BELOW: lambda bound, limit: True if bound <= limit else None,
    Comparator.AT_MOST: lambda bound, limit: True if bound < limit else None,
    Comparator.ABOVE: _not_below,
    Comparator.AT_LEAST: _not_below,
}
