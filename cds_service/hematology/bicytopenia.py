"""Bicytopenia: leukocytes and platelets low together. Judges only the two findings; no counts are read here."""

from datetime import date

from cds_service.hematology.criteria import Guideline
from cds_service.hematology.verdicts import Finding, FindingAssessment, Occasion, Run, Verdict
from cds_service.hematology.windows import chronology, days_apart

_LOW = frozenset({Verdict.PRESENT, Verdict.UNCONFIRMED})
_OPEN = frozenset({Verdict.NOT_EVALUABLE, Verdict.UNRELIABLE})


def assess_bicytopenia(
    leukopenia: FindingAssessment, thrombocytopenia: FindingAssessment, guideline: Guideline
) -> FindingAssessment:
    """Both low now, with a low result of each at most `pair` days apart. Persistence isn't needed."""
    both = (leukopenia, thrombocytopenia)
    pair = _pair(leukopenia.run, thrombocytopenia.run, guideline)
    newest = tuple(one.newest for one in both if one.newest is not None)
    shown = {*pair, *newest} if pair else set()
    return FindingAssessment(
        finding=Finding.BICYTOPENIA,
        verdict=_verdict(both, pair),
        statement=guideline.statements.get(Finding.BICYTOPENIA),
        criteria=(guideline.leukopenia_below, guideline.thrombocytopenia_below, guideline.current, guideline.pair),
        occasions=tuple(sorted(shown, key=_latest_first, reverse=True)),
        unread=(*leukopenia.unread, *thrombocytopenia.unread),
        pair=pair,
    )


def _verdict(both: tuple[FindingAssessment, FindingAssessment], pair: tuple[Occasion, Occasion] | None) -> Verdict:
    if pair:
        return Verdict.PRESENT
    if any(one.verdict in _OPEN for one in both):
        return Verdict.NOT_EVALUABLE
    if any(one.verdict is Verdict.NO_RECENT_RESULT for one in both):
        return Verdict.NO_RECENT_RESULT
    # Both low, never together so far: what is newer and unread could be the count that makes the pair.
    if all(one.verdict in _LOW for one in both) and any(one.unread or one.conflicting for one in both):
        return Verdict.NOT_EVALUABLE
    return Verdict.ABSENT


def _pair(leukocytes: Run | None, platelets: Run | None, guideline: Guideline) -> tuple[Occasion, Occasion] | None:
    """The most recent pair, by a merge of the two runs from their newest dates back.

    Where the two newest dates are too far apart, the later has no partner: everything left is older still.
    """
    if leukocytes is None or platelets is None:
        return None
    white, plates = (iter(sorted(run.occasions, key=_day, reverse=True)) for run in (leukocytes, platelets))
    one, other = next(white, None), next(plates, None)
    while one and other:
        if days_apart(one.collected, other.collected) <= guideline.pair.days:
            return one, other
        if _day(one) > _day(other):
            one = next(white, None)
        else:
            other = next(plates, None)
    return None


def _day(occasion: Occasion) -> date:
    return occasion.collected.day


def _latest_first(occasion: Occasion) -> tuple[object, ...]:
    return chronology(occasion.collected), occasion.analyte
