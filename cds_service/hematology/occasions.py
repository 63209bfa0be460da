"""One specimen is one result: counts of one analyte gathered into occasions, and the side of the limit each is on."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from cds_service.hematology.bounds import is_below
from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, Comparator, CountResult
from cds_service.hematology.same_occasion import Occasions
from cds_service.hematology.verdicts import Occasion, Side
from cds_service.hematology.windows import chronology

_CORRECTIONS = frozenset({"corrected", "amended"})
_BOUND_ORDER = {
    Comparator.BELOW: 0,
    Comparator.AT_MOST: 1,
    Comparator.EXACT: 2,
    Comparator.AT_LEAST: 3,
    Comparator.ABOVE: 4,
}


def gather_occasions(results: Sequence[CountResult], limit: Criterion, specimen_hours: Criterion) -> list[Occasion]:
    """The occasions of one analyte's results, newest first, each with its side of `limit`.

    A low-confidence result of the same occasion as a criterion result yields to it and is left out.
    """
    if not results:
        return []
    criterion = Occasions([one for one in results if not one.low_confidence], specimen_hours)
    groups = criterion.groups()
    if estimates := [one for one in results if one.low_confidence and not criterion.hold(one)]:
        groups += Occasions(estimates, specimen_hours).groups()
    return sorted([_occasion(group, limit) for group in groups], key=_when, reverse=True)


def _when(occasion: Occasion) -> tuple[datetime, date]:
    collected = occasion.collected
    return chronology(collected), collected.day


def _occasion(group: list[CountResult], limit: Criterion) -> Occasion:
    results = tuple(group if len(group) == 1 else _differing(_still_standing(group), limit))
    return Occasion(results[0].analyte, results, _side(results, limit))


def _still_standing(group: list[CountResult]) -> list[CountResult]:
    """What the tie order leaves: corrections, then nRBC-corrected counts, then the latest issued."""
    standing = _keep(group, lambda result: result.status in _CORRECTIONS)
    standing = _keep(standing, lambda result: result.nrbc_corrected)
    issued = [result.issued for result in standing if result.issued is not None]
    if len(issued) < len(standing):
        return standing
    latest = max(issued)
    return _keep(standing, lambda result: result.issued == latest)


def _keep(results: list[CountResult], preferred: Callable[[CountResult], bool]) -> list[CountResult]:
    """The preferred ones, or all where the step keeps none."""
    return [result for result in results if preferred(result)] or results


def _differing(standing: list[CountResult], limit: Criterion) -> Iterable[CountResult]:
    """One of each value, lowest first. Bounds that decide nothing count only where nothing else stands."""
    decided = [result for result in standing if is_below(result, limit.value) is not None]
    differing: dict[tuple[object, Comparator], CountResult] = {}
    for result in sorted(decided or standing, key=_lowest_first):
        differing.setdefault((result.value, result.comparator), result)
    return differing.values()


def _lowest_first(result: CountResult) -> tuple[object, ...]:
    """By value; of equal ones the clumped, then the timed: the one that says more stands for the others."""
    return (
        result.value,
        _BOUND_ORDER[result.comparator],
        not result.clumped,
        result.collected.instant is None,
        result.reference,
    )


def _side(results: tuple[CountResult, ...], limit: Criterion) -> Side:
    below = [is_below(result, limit.value) for result in results]
    if False in below:
        return Side.CONFLICTING if True in below else Side.NOT_LOW
    if True not in below:
        return Side.UNDECIDED
    for result in results:
        if result.clumped and result.analyte is Analyte.PLATELETS:
            return Side.UNRELIABLE
    return Side.LOW
