"""What a count says about a limit, reported bounds included. Knows no finding: the limit is an argument."""

from decimal import Decimal

from cds_service.hematology.lab_results import Comparator, CountResult


def is_below(result: CountResult, limit: Decimal) -> bool | None:
    """Whether the true count is below `limit` (10*9/L, strict); None where a reported bound leaves it open."""
    match result.comparator:
        case Comparator.EXACT:
            return result.value < limit
        case Comparator.BELOW:
            return True if result.value <= limit else None
        case Comparator.AT_MOST:
            return True if result.value < limit else None
        case _:  # above, at least
            return False if result.value >= limit else None
