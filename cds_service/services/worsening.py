"""Whether things are worse than when a card was given. In doubt they are: what can't be compared isn't better.

Pure. Knows no feedback and no policy but the size of a fall.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cds_service.hematology.lab_results import Comparator, CountResult
from cds_service.hematology.verdicts import Assessment, Finding, FindingAssessment, Importance, Side, Verdict
from cds_service.services.card_basis import CardBasis
from cds_service.services.pseudonyms import Marks

_RANK = {Verdict.PRESENT: 3, Verdict.UNCONFIRMED: 2, Verdict.UNRELIABLE: 1}
_IMPORTANCE = list(Importance)
_UPPER_BOUNDS = {Comparator.BELOW, Comparator.AT_MOST}
_LOWER_BOUNDS = {Comparator.ABOVE, Comparator.AT_LEAST}


class Worse(StrEnum):
    """Why what was quiet speaks again."""

    OTHER_FINDING = "other-finding"
    """The card leads with a finding that the earlier one didn't hold."""
    INDICATOR = "indicator"
    """The card is more insistent."""
    FINDING_JOINED = "finding-joined"
    """A finding is there that wasn't, or is surer than it was."""
    SEVERITY_BAND = "severity-band"
    """A count is in the next severity band."""
    UNREAD = "unread"
    """A newer result can't be read, or two contradict each other: it may be anything."""
    RESULT_GONE = "result-gone"
    """The result behind the earlier card isn't in the chart any more, or was corrected."""
    FALL = "fall"
    """A count fell, from the earlier card's result or from any since."""


@dataclass(frozen=True)
class CardState:
    """What one card leads with, how insistent it is, and what it rests on."""

    leading: str
    importance: str
    basis: CardBasis


def worse_than(then: CardState, now: CardState, assessment: Assessment, marks: Marks, fall: Decimal) -> Worse | None:
    """The first reason why `now`, which tells `assessment`, is worse than `then`; None where it isn't.

    `fall`: the share of a count (0 to 1) whose loss is a worsening.
    """
    return next(_reasons(then, now, assessment, marks, fall), None)


def _reasons(then: CardState, now: CardState, assessment: Assessment, marks: Marks, fall: Decimal) -> Iterator[Worse]:
    if then.leading not in {now.leading, Finding.BICYTOPENIA}:
        yield Worse.OTHER_FINDING
    if then.importance not in _IMPORTANCE[_IMPORTANCE.index(Importance(now.importance)) :]:
        yield Worse.INDICATOR
    if any(_rank(verdict) > _rank(then.basis.verdicts.get(name, "")) for name, verdict in now.basis.verdicts.items()):
        yield Worse.FINDING_JOINED
    if any(grade > then.basis.grades.get(analyte, 0) for analyte, grade in now.basis.grades.items()):
        yield Worse.SEVERITY_BAND
    if not now.basis.unsettled <= then.basis.unsettled:
        yield Worse.UNREAD
    for finding in (assessment.leukopenia, assessment.thrombocytopenia):
        yield from _count_worse(finding, then.basis, marks, fall)


def _rank(verdict: str) -> int:
    return _RANK.get(Verdict(verdict), 0) if verdict else 0


def _count_worse(finding: FindingAssessment, then: CardBasis, marks: Marks, fall: Decimal) -> Iterator[Worse]:
    newest = finding.newest
    if newest is None or newest.side is Side.NOT_LOW:
        return
    since = _since(finding, then.results.get(newest.analyte, ""), marks)
    if since is None:
        yield Worse.RESULT_GONE
    elif newest.side is Side.LOW and not all(_kept(newest.result, one, 1 - fall) for one in since):
        yield Worse.FALL


def _since(finding: FindingAssessment, mark: str, marks: Marks) -> Iterable[CountResult] | None:
    """The result with this mark and the highest of each occasion between it and the newest; None: it isn't there.

    Counts of clumped specimens are compared with nothing: they read too low.
    """
    between: list[CountResult] = []
    for position, occasion in enumerate(finding.deciding):
        marked = next((result for result in occasion.results if marks.count(result) == mark), None)
        if marked is not None:
            return [*between, marked]
        if position and occasion.side is not Side.UNRELIABLE:
            between.append(occasion.results[-1])
    return None


def _kept(now: CountResult, before: CountResult, share: Decimal) -> bool:
    """Whether a count surely kept more than this share of an earlier one. The same bound again is no fall."""
    if (now.comparator, now.value) == (before.comparator, before.value):
        return True
    if now.comparator in _UPPER_BOUNDS or before.comparator in _LOWER_BOUNDS:
        return False
    return now.value > before.value * share
