"""The findings of one analyte: leukopenia and thrombocytopenia, each with its verdict and what it rests on."""

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from cds_service.hematology.count_history import CountHistory, is_usable
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import SetAside
from cds_service.hematology.runs import low_run
from cds_service.hematology.verdicts import Finding, FindingAssessment, Occasion, Run, Side, Verdict
from cds_service.hematology.windows import is_newer, within

_DECIDING = frozenset({Side.LOW, Side.NOT_LOW, Side.UNRELIABLE})


@dataclass(frozen=True)
class _Standing:
    """The newest current occasion that decides, its run when low, what is newer and couldn't be used, and the rest."""

    newest: Occasion | None
    run: Run | None
    previous: Occasion | None
    unread: tuple[SetAside, ...]
    conflicting: Occasion | None
    deciding: tuple[Occasion, ...]

    @property
    def overtaken(self) -> bool:
        """Something newer was reported that nobody could read or believe."""
        return bool(self.unread) or self.conflicting is not None


def assess_leukopenia(history: CountHistory, guideline: Guideline, as_of: datetime) -> FindingAssessment:
    """Leukopenia: low now and, for *present*, low on two specimens at least `separation` days apart."""
    standing = _standing(history, guideline, as_of)
    verdict = _verdict(standing)
    if standing.run is not None and not is_persistent(standing.run, guideline):
        verdict = Verdict.UNCONFIRMED
    return _finding(Finding.LEUKOPENIA, verdict, standing, history, guideline)


def assess_thrombocytopenia(history: CountHistory, guideline: Guideline, as_of: datetime) -> FindingAssessment:
    """Thrombocytopenia: low now; *unreliable* where the low count is of a clumped specimen."""
    standing = _standing(history, guideline, as_of)
    return _finding(Finding.THROMBOCYTOPENIA, _verdict(standing), standing, history, guideline)


def is_persistent(run: Run, guideline: Guideline) -> bool:
    """Whether the run holds two specimens at least `separation` days apart."""
    return run.days >= guideline.separation.days


def _standing(history: CountHistory, guideline: Guideline, as_of: datetime) -> _Standing:
    """A result that isn't current decides nothing; what is reported since then still counts as unread."""
    deciding = tuple([one for one in history.occasions if _decides(one)])
    newest = next((one for one in deciding if within(one.collected, as_of, guideline.current)), None)
    conflicting = _conflicting(newest, history, guideline, as_of)
    unread = tuple(
        one
        for one in history.unread
        if one.collected is not None
        and within(one.collected, as_of, guideline.current)
        and (newest is None or is_newer(one.collected, newest.collected))
    )
    older = history.occasions[history.occasions.index(newest) + 1 :] if newest else ()
    run = low_run(newest, older, guideline) if newest and newest.side is Side.LOW else None
    previous = next((one for one in older if is_usable(one)), None)
    return _Standing(newest, run, previous, unread, conflicting, deciding)


def _conflicting(
    newest: Occasion | None, history: CountHistory, guideline: Guideline, as_of: datetime
) -> Occasion | None:
    """The newest current conflicting occasion, where it is newer than `newest`."""
    for one in takewhile(lambda one: one is not newest, history.occasions):
        if one.side is Side.CONFLICTING and not one.low_confidence and within(one.collected, as_of, guideline.current):
            return one if newest is None or is_newer(one.collected, newest.collected) else None
    return None


def _decides(occasion: Occasion) -> bool:
    return occasion.side in _DECIDING and not occasion.low_confidence


def _verdict(standing: _Standing) -> Verdict:
    if standing.newest is None:
        return Verdict.NOT_EVALUABLE if standing.overtaken else Verdict.NO_RECENT_RESULT
    if standing.newest.side is Side.LOW:
        return Verdict.PRESENT
    if standing.newest.side is Side.UNRELIABLE:
        return Verdict.UNRELIABLE
    return Verdict.NOT_EVALUABLE if standing.overtaken else Verdict.ABSENT


def _finding(
    finding: Finding,
    verdict: Verdict,
    standing: _Standing,
    history: CountHistory,
    guideline: Guideline,
) -> FindingAssessment:
    newest, run, conflicting = standing.newest, standing.run, standing.conflicting
    persistence = (guideline.separation,) if finding is Finding.LEUKOPENIA else ()
    estimates_in_run = {result for one in run.occasions if one.low_confidence for result in one.results} if run else ()
    return FindingAssessment(
        finding=finding,
        verdict=verdict,
        statement=guideline.statements.get(finding),
        criteria=(history.limit, guideline.current, *persistence),
        occasions=run.occasions if run else tuple([one for one in (conflicting, newest) if one is not None]),
        newest=newest,
        run=run,
        previous=standing.previous,
        unread=standing.unread,
        conflicting=conflicting,
        deciding=standing.deciding,
        shown_only=tuple([result for result in history.low_confidence if result not in estimates_in_run]),
    )
