"""Cause groups and what in this record supports them. Knows no code: records arrive matched to groups."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from cds_service.hematology.clinical_picture import CauseMatch, ClinicalPicture, Use
from cds_service.hematology.criteria import CauseGroup, Guideline
from cds_service.hematology.evidence import (
    condition_counts,
    in_order,
    medication_counts,
    of_blasts,
    of_condition,
    of_medication,
)
from cds_service.hematology.lab_results import CompanionKind
from cds_service.hematology.low_counts import LowCounts
from cds_service.hematology.verdicts import Causes, Evidence, FindingAssessment, GroupSupport, Verdict
from cds_service.hematology.windows import within

BLASTS_SUPPORT = "hematologic-malignancy"
KNOWN_FINDING = "known-finding"

_Matched = tuple[CauseMatch, Evidence, bool]
"""A match, the record as evidence, and whether it lies in its window."""


def assess_causes(
    picture: ClinicalPicture, low: LowCounts, bicytopenia: FindingAssessment, guideline: Guideline, as_of: datetime
) -> Causes:
    """The groups this record supports, the always named ones for bicytopenia, and the context groups."""
    matched: dict[str, list[_Matched]] = defaultdict(list)
    for one in _matched(picture, low, guideline):
        matched[one[0].group].append(one)
    recorded = [group for group in guideline.groups if group.id in matched]
    context = tuple([support for group in recorded if (support := _context(group, matched[group.id])).evidence])
    if not low.any:
        return Causes(context=context)
    blasts = _blasts(picture, guideline, as_of)
    both = bicytopenia.verdict is Verdict.PRESENT
    always = {group.id for group in guideline.groups if group.always_named} if both else set()
    told = {*matched, *always, BLASTS_SUPPORT}
    causes = [group for group in guideline.groups if group.id in told and not group.context_only]
    supports = [_support(group, matched[group.id], blasts) for group in causes]
    return Causes(
        groups=tuple([one for one in supports if one.evidence or one.group in always]),
        context=context,
        assessed=True,
        weak=tuple([one for one in supports if one.weak and not one.evidence and one.group not in always]),
    )


def known_findings(picture: ClinicalPicture, low: LowCounts) -> tuple[Evidence, ...]:
    """Conditions that stand and record a finding that is there."""
    return in_order(
        [
            of_condition(condition, match)
            for condition in picture.conditions
            for match in condition.matches
            if match.group == KNOWN_FINDING and match.use is Use.EVIDENCE and low.newest(match.affects) is not None
        ]
    )


def _matched(picture: ClinicalPicture, low: LowCounts, guideline: Guideline) -> Iterator[_Matched]:
    for condition in picture.conditions:
        for match in condition.matches:
            yield match, of_condition(condition, match), condition_counts(condition, match, low, guideline)
    for medication in picture.medications:
        for match in medication.matches:
            evidence = of_medication(medication, match, low.first(match.affects))
            yield match, evidence, medication_counts(medication, match, low, guideline)


def _support(group: CauseGroup, matched: list[_Matched], blasts: list[Evidence]) -> GroupSupport:
    evidence = list(blasts) if group.id == BLASTS_SUPPORT else []
    weak: list[Evidence] = []
    for match, record, counts in matched:
        if counts and match.use is Use.EVIDENCE:
            evidence.append(record)
        elif counts and match.use is Use.WEAK:
            weak.append(record)
    return GroupSupport(group.id, in_order(evidence), in_order(weak))


def _context(group: CauseGroup, matched: list[_Matched]) -> GroupSupport:
    """Context goes by the status rules alone. A `context` row of a cause group is context too."""
    uses = {Use.EVIDENCE, Use.CONTEXT} if group.context_only else {Use.CONTEXT}
    shown = [evidence for match, evidence, _ in matched if match.use in uses]
    return GroupSupport(group=group.id, evidence=in_order(shown))


def _blasts(picture: ClinicalPicture, guideline: Guideline, as_of: datetime) -> list[Evidence]:
    return [
        of_blasts(result)
        for result in picture.companions
        if result.present
        and result.kind is CompanionKind.BLASTS
        and within(result.collected, as_of, guideline.blasts_window)
    ]
