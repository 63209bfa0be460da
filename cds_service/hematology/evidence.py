"""When a record supports a cause: the windows of conditions, medications and blasts. Which group it is, is data."""

from datetime import date

from cds_service.hematology.clinical_picture import CauseMatch, Course, RecordedCondition, RecordedMedication
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import CompanionResult
from cds_service.hematology.low_counts import LowCounts
from cds_service.hematology.verdicts import Evidence, EvidenceKind
from cds_service.hematology.windows import days_before


def condition_counts(condition: RecordedCondition, match: CauseMatch, low: LowCounts, guideline: Guideline) -> bool:
    """Chronic: while it stands. Acute: dated close to the newest low count the row affects; undated is none."""
    newest = low.newest(match.affects)
    if newest is None:
        return False
    if match.course is Course.CHRONIC:
        return True
    if condition.dated is None:
        return False
    return -guideline.acute_after.days <= days_before(condition.dated, newest) <= guideline.acute_before.days


def medication_counts(medication: RecordedMedication, match: CauseMatch, low: LowCounts, guideline: Guideline) -> bool:
    """Exposure in the `exposure_before` days up to the newest low count the row affects, begun not after it."""
    newest = low.newest(match.affects)
    if newest is None or (medication.start is not None and medication.start > newest):
        return False
    if medication.current:
        return True
    return medication.end is not None and days_before(medication.end, newest) <= guideline.exposure_before.days


def of_condition(condition: RecordedCondition, match: CauseMatch) -> Evidence:
    """A condition as evidence."""
    return Evidence(
        kind=EvidenceKind.CONDITION,
        reference=condition.reference,
        system=match.system,
        code=match.code,
        display=match.display,
        chart_text=condition.display,
        dated=condition.dated,
    )


def of_medication(medication: RecordedMedication, match: CauseMatch, first_low: date | None) -> Evidence:
    """A medication as evidence, its start relative to the first low count."""
    start = medication.start
    return Evidence(
        kind=EvidenceKind.MEDICATION,
        reference=medication.reference,
        system=match.system,
        code=match.code,
        display=match.display,
        chart_text=medication.display,
        dated=start,
        days_before_first_low=None if start is None or first_low is None else days_before(start, first_low),
        end=medication.end,
        current=medication.current,
    )


def of_blasts(result: CompanionResult) -> Evidence:
    """Reported blasts as evidence: no code of ours, the result as the record has it."""
    return Evidence(
        kind=EvidenceKind.BLASTS,
        reference=result.reference,
        system="",
        code="",
        display=result.kind,
        chart_text=result.reported,
        dated=result.collected.day,
    )


def in_order(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    """Newest first, undated last, each record once."""
    return tuple(sorted(set(evidence), key=_latest_dated, reverse=True)) if evidence else ()


def _latest_dated(one: Evidence) -> tuple[date, str, str]:
    return one.dated or date.min, one.reference, one.code
