"""The findings of one analyte: leukopenia and thrombocytopenia, each with its verdict and what it rests on."""

from datetime import datetime

from cds_service.hematology.count_history import CountHistory, is_usable
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.lab_results import CountResult, SetAside
from cds_service.hematology.runs import low_run
from cds_service.hematology.verdicts import Finding, FindingAssessment, Occasion, Run, Side, Verdict
from cds_service.hematology.windows import is_newer, within

_DECIDING = frozenset({Side.LOW, Side.NOT_LOW, Side.UNRELIABLE})


def assess_leukopenia(history: CountHistory, guideline: Guideline, as_of: datetime) -> FindingAssessment:
    """Leukopenia: low now and, for *present*, low on two specimens at least `separation` days apart."""
    return _assess(Finding.LEUKOPENIA, (guideline.separation,), history, guideline, as_of)


def assess_thrombocytopenia(history: CountHistory, guideline: Guideline, as_of: datetime) -> FindingAssessment:
    """Thrombocytopenia: low now; *unreliable* where the low count is of a clumped specimen."""
    return _assess(Finding.THROMBOCYTOPENIA, (), history, guideline, as_of)


def is_persistent(run: Run, guideline: Guideline) -> bool:
    """Whether the run holds two specimens at least `separation` days apart."""
    return run.days >= guideline.separation.days


def _assess(
    finding: Finding,
    persistence: tuple[Criterion, ...],
    history: CountHistory,
    guideline: Guideline,
    as_of: datetime,
) -> FindingAssessment:
    """A result that isn't current decides nothing; what is reported since then still counts as unread."""
    deciding = tuple([one for one in history.occasions if _decides(one)])
    newest = next((one for one in deciding if within(one.collected, as_of, guideline.current)), None)
    older = history.occasions[history.occasions.index(newest) + 1 :] if newest else ()
    run = low_run(newest, older, guideline) if newest and newest.side is Side.LOW else None
    unread = _unread(newest, history, guideline, as_of)
    conflicting = _conflicting(newest, history, guideline, as_of)
    unconfirmed = bool(persistence) and run is not None and not is_persistent(run, guideline)
    return FindingAssessment(
        finding=finding,
        verdict=Verdict.UNCONFIRMED if unconfirmed else _verdict(newest, overtaken=bool(unread or conflicting)),
        statement=guideline.statements.get(finding),
        criteria=(history.limit, guideline.current, *persistence),
        occasions=run.occasions if run else tuple([one for one in (conflicting, newest) if one]),
        newest=newest,
        run=run,
        previous=next((one for one in older if is_usable(one)), None),
        unread=unread,
        conflicting=conflicting,
        deciding=deciding,
        shown_only=_shown_only(history, run),
    )


def _decides(occasion: Occasion) -> bool:
    return occasion.side in _DECIDING and not occasion.low_confidence


def _verdict(newest: Occasion | None, *, overtaken: bool) -> Verdict:
    """`overtaken`: something newer was reported that nobody could read or believe."""
    if newest is not None and newest.side is Side.LOW:
        return Verdict.PRESENT
    if newest is not None and newest.side is Side.UNRELIABLE:
        return Verdict.UNRELIABLE
    if overtaken:
        return Verdict.NOT_EVALUABLE
    return Verdict.NO_RECENT_RESULT if newest is None else Verdict.ABSENT


def _unread(
    newest: Occasion | None, history: CountHistory, guideline: Guideline, as_of: datetime
) -> tuple[SetAside, ...]:
    """What is current, newer than `newest` and couldn't be read."""
    return tuple(
        [
            one
            for one in history.unread
            if one.collected is not None
            and within(one.collected, as_of, guideline.current)
            and (newest is None or is_newer(one.collected, newest.collected))
        ]
    )


def _conflicting(
    newest: Occasion | None, history: CountHistory, guideline: Guideline, as_of: datetime
) -> Occasion | None:
    """The newest current conflicting occasion, where it is newer than `newest`."""
    for one in history.occasions:
        if one is newest:
            return None
        if one.side is Side.CONFLICTING and not one.low_confidence and within(one.collected, as_of, guideline.current):
            return one if newest is None or is_newer(one.collected, newest.collected) else None
    return None


def _shown_only(history: CountHistory, run: Run | None) -> tuple[CountResult, ...]:
    """The estimates that no run counts."""
    counted = {result for one in run.occasions if one.low_confidence for result in one.results} if run else ()
    return tuple([result for result in history.low_confidence if result not in counted])
