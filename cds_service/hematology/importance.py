"""The indicator table: what deserves a card, and how insistent it is. The first row that applies decides."""

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.hematology.bounds import is_below
from cds_service.hematology.count_history import CountHistory
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.cytopenia import is_persistent
from cds_service.hematology.downgrades import Downgrades
from cds_service.hematology.verdicts import (
    Alert,
    CriticalReason,
    Finding,
    FindingAssessment,
    Importance,
    Occasion,
    Severity,
    Side,
    Situation,
    Verdict,
)
from cds_service.hematology.windows import days_before

_IMPORTANCE = {
    Situation.CRITICAL: Importance.CRITICAL,
    Situation.BICYTOPENIA: Importance.WARNING,
    Situation.LEUKOPENIA: Importance.WARNING,
}
"""Every other row is `info`."""


@dataclass(frozen=True)
class JudgedCounts:
    """What the rows read: the three findings, their severity and the histories behind them."""

    leukopenia: FindingAssessment
    thrombocytopenia: FindingAssessment
    bicytopenia: FindingAssessment
    severity: Severity
    leukocytes: CountHistory
    platelets: CountHistory

    @property
    def gravest(self) -> Finding:
        """The finding a warning or a critical card leads with."""
        reasons = {reason for reason, *_ in self.severity.critical}
        if self.bicytopenia.verdict is Verdict.PRESENT:
            return Finding.BICYTOPENIA
        if self.leukopenia.verdict not in {Verdict.PRESENT, Verdict.UNCONFIRMED} or reasons == {
            CriticalReason.PLATELETS
        }:
            return Finding.THROMBOCYTOPENIA
        return Finding.LEUKOPENIA


def decide_alert(judged: JudgedCounts, downgrades: Downgrades, guideline: Guideline) -> Alert | None:
    """The first row of the indicator table that applies; None: no card. `downgrades` never touch critical."""
    row = next(_rows(judged, downgrades, guideline), None)
    if row is None:
        return None
    situation, leading = row
    return Alert(
        situation=situation,
        importance=_IMPORTANCE.get(situation, Importance.INFO),
        leading=leading,
        downgrades=downgrades if situation is Situation.DOWNGRADED else (),
        fallen_from=_fallen_from(judged, guideline) if situation is Situation.MILD_FALL else (),
    )


def _rows(judged: JudgedCounts, downgrades: Downgrades, guideline: Guideline) -> Iterator[tuple[Situation, Finding]]:
    """The rows that apply, in the table's order."""
    bicytopenia = judged.bicytopenia.verdict is Verdict.PRESENT
    leukopenia = judged.leukopenia.verdict is Verdict.PRESENT
    if judged.severity.critical:
        yield Situation.CRITICAL, judged.gravest
    if bicytopenia and not leukopenia and _fallen_from(judged, guideline):
        yield Situation.MILD_FALL, Finding.BICYTOPENIA
    if (bicytopenia or leukopenia) and downgrades:
        yield Situation.DOWNGRADED, judged.gravest
    if bicytopenia:
        yield Situation.BICYTOPENIA, Finding.BICYTOPENIA
    if leukopenia:
        yield Situation.LEUKOPENIA, Finding.LEUKOPENIA
    yield from _informative_rows(judged, guideline)


def _informative_rows(judged: JudgedCounts, guideline: Guideline) -> Iterator[tuple[Situation, Finding]]:
    if judged.leukopenia.verdict is Verdict.UNCONFIRMED:
        yield Situation.LEUKOPENIA_UNCONFIRMED, Finding.LEUKOPENIA
    if _thrombocytopenia_deserves_a_card(judged.thrombocytopenia, guideline):
        yield Situation.THROMBOCYTOPENIA, Finding.THROMBOCYTOPENIA
    if judged.thrombocytopenia.verdict is Verdict.UNRELIABLE:
        yield Situation.THROMBOCYTOPENIA_UNRELIABLE, Finding.THROMBOCYTOPENIA
    for finding in (judged.leukopenia, judged.thrombocytopenia):
        if finding.conflicting is not None:
            yield Situation.CONFLICTING, finding.finding
    for finding in (judged.leukopenia, judged.thrombocytopenia):
        if guideline.card_when_not_evaluable and finding.verdict is Verdict.NOT_EVALUABLE:
            yield Situation.NOT_EVALUABLE, finding.finding


def _thrombocytopenia_deserves_a_card(finding: FindingAssessment, guideline: Guideline) -> bool:
    if finding.newest is None or finding.run is None:
        return False
    below = is_below(finding.newest.result, guideline.thrombocytopenia_card_below.value)
    return below is True or is_persistent(finding.run, guideline)


def _fallen_from(judged: JudgedCounts, guideline: Guideline) -> tuple[Occasion, ...]:
    """What both counts fell from; empty unless both fell mildly."""
    leukocytes = _not_low_before(
        judged.leukocytes, judged.leukopenia, guideline.mild_leukocytes_at_least, guideline.mild_fall_within
    )
    platelets = _not_low_before(
        judged.platelets, judged.thrombocytopenia, guideline.mild_platelets_at_least, guideline.mild_fall_within
    )
    return (leukocytes, platelets) if leukocytes and platelets else ()


def _not_low_before(
    history: CountHistory, finding: FindingAssessment, mild: Criterion, fall_within: Criterion
) -> Occasion | None:
    """The last occasion not low at most `fall_within` days before the newest, where that isn't far below the limit."""
    newest = finding.newest
    if newest is None or is_below(newest.result, mild.value) is not False:
        return None
    older = history.usable[history.usable.index(newest) + 1 :]
    return next(
        (
            one
            for one in older
            if one.side is Side.NOT_LOW and days_before(one.collected.day, newest.collected.day) <= fall_within.days
        ),
        None,
    )
