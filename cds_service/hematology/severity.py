"""Severity: what makes a finding critical, and the CTCAE grades. Reads only recent results; makes no finding itself."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cds_service.hematology.bounds import is_below
from cds_service.hematology.count_history import CountHistory, is_usable
from cds_service.hematology.criteria import Bands, Criterion, Guideline
from cds_service.hematology.lab_results import Analyte, CompanionKind, CompanionResult, CountResult
from cds_service.hematology.verdicts import CriticalReason, FindingAssessment, Occasion, Severity, Verdict
from cds_service.hematology.windows import chronology, within

Critical = tuple[CriticalReason, CountResult | CompanionResult, Criterion | None]
_LEUKOPENIA_THERE = frozenset({Verdict.PRESENT, Verdict.UNCONFIRMED})


def assess_severity(
    findings: tuple[FindingAssessment, FindingAssessment],
    histories: tuple[CountHistory, CountHistory, CountHistory],
    companions: Iterable[CompanionResult],
    guideline: Guideline,
    as_of: datetime,
) -> Severity:
    """Severity of the findings (leukopenia, thrombocytopenia) by the histories of leukocytes, platelets, neutrophils.

    Empty where neither finding is there. Platelets are judged only where thrombocytopenia is present: an unreliable
    count has no severity.
    """
    leukopenia = findings[0].verdict in _LEUKOPENIA_THERE
    thrombocytopenia = findings[1].verdict is Verdict.PRESENT
    if not (leukopenia or thrombocytopenia):
        return Severity()
    judged = (leukopenia, thrombocytopenia, True)
    limits = (
        (CriticalReason.LEUKOCYTES, guideline.critical_leukocytes_below, guideline.leukocyte_bands),
        (CriticalReason.PLATELETS, guideline.critical_platelets_below, guideline.platelet_bands),
        (CriticalReason.NEUTROPHILS, guideline.critical_neutrophils_below, guideline.neutrophil_bands),
    )
    critical: list[Critical] = []
    grades: list[tuple[Analyte, int]] = []
    for is_judged, history, (reason, limit, bands) in zip(judged, histories, limits, strict=True):
        newest = next(_recent(history, guideline, as_of), None) if is_judged else None
        if newest is None:
            continue
        if (lowest := newest_below(_recent(history, guideline, as_of), limit)) is not None:
            critical.append((reason, lowest, limit))
        if (grade := ctcae_grade(newest.result, bands, history.analyte)) is not None:
            grades.append((history.analyte, grade))
    critical += _blasts(companions, guideline, as_of)
    return Severity(critical=tuple(critical), grades=tuple(grades))


def newest_below(occasions: Iterable[Occasion], limit: Criterion) -> CountResult | None:
    """The result below `limit` of the newest occasion that decides it; None where that one is not below.

    `occasions` newest first. A bound that leaves this limit open is unreadable for it: the next older one is asked.
    """
    for occasion in occasions:
        answers = [is_below(result, limit.value) for result in occasion.results]
        if True in answers:
            return occasion.results[answers.index(True)]
        if None not in answers:
            return None
    return None


def ctcae_grade(result: CountResult, bands: Bands, analyte: Analyte) -> int | None:
    """CTCAE grade 1 to 4 of a low count. Neutrophils have no grade 1 here: their lower limit of normal isn't ours."""
    grade = 1 + [is_below(result, limit.value) for limit in bands.below].count(True)
    return None if grade == 1 and analyte is Analyte.NEUTROPHILS else grade


def _recent(history: CountHistory, guideline: Guideline, as_of: datetime) -> Iterator[Occasion]:
    """Neutrophils make no finding, so no side of theirs is conflicting: the lower of two is taken."""
    any_side = history.analyte is Analyte.NEUTROPHILS
    for one in history.occasions:
        usable = not one.low_confidence if any_side else is_usable(one)
        if usable and within(one.collected, as_of, guideline.severity_window):
            yield one


def _blasts(companions: Iterable[CompanionResult], guideline: Guideline, as_of: datetime) -> list[Critical]:
    """The newest blasts result that tells; of two at one time the positive one."""
    told = [
        result
        for result in companions
        if result.present is not None
        and result.kind is CompanionKind.BLASTS
        and within(result.collected, as_of, guideline.severity_window)
    ]
    newest = max(told, key=lambda one: (chronology(one.collected), one.present, one.reference), default=None)
    return [(CriticalReason.BLASTS, newest, None)] if newest is not None and newest.present else []
