"""How each count went over time, for those who look at a curve: every result with what the judge makes of it.

Judges nothing of its own: sides and runs are those of the assessment, drawn over all that was read, not its lookback.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.clumping import mark_clumped
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.lab_results import Analyte, CountResult, SetAside
from cds_service.hematology.occasions import gather_occasions
from cds_service.hematology.verdicts import Assessment, FindingAssessment, Occasion, Run, Side
from cds_service.hematology.windows import chronology


class Mark(StrEnum):
    """What a result is in its trend."""

    LOW = "low"
    NOT_LOW = "not-low"
    CONFLICTING = "conflicting"
    UNRELIABLE = "unreliable"
    UNDECIDED = "undecided"
    ESTIMATE = "estimate"
    """An estimate or a capillary count, on whichever side: it decides nothing."""
    OUTDONE = "outdone"
    """Another result of the same specimen stands for it."""


@dataclass(frozen=True)
class TracedCount:
    """One count; `in_run`: it belongs to the unbroken series of low results that ends at the newest."""

    result: CountResult
    mark: Mark
    in_run: bool = False


@dataclass(frozen=True)
class Trend:
    """One analyte, oldest first; what was set aside and has no date comes last. Below `limit` a count is low."""

    analyte: Analyte
    limit: Criterion
    counts: tuple[TracedCount, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    run: Run | None = None


def trace(assessment: Assessment, guideline: Guideline) -> tuple[Trend, ...]:
    """The trends of leukocytes and platelets, and of neutrophils where any were reported."""
    judged: tuple[tuple[Analyte, Criterion, FindingAssessment | None], ...] = (
        (Analyte.LEUKOCYTES, guideline.leukopenia_below, assessment.leukopenia),
        (Analyte.PLATELETS, guideline.thrombocytopenia_below, assessment.thrombocytopenia),
        (Analyte.NEUTROPHILS, guideline.critical_neutrophils_below, None),
    )
    trends = [
        _trend(assessment.picture, analyte, limit, finding.run if finding else None, guideline)
        for analyte, limit, finding in judged
    ]
    return tuple(one for one in trends if one.counts or one.set_aside or one.analyte is not Analyte.NEUTROPHILS)


def _trend(
    picture: ClinicalPicture, analyte: Analyte, limit: Criterion, run: Run | None, guideline: Guideline
) -> Trend:
    counts = mark_clumped(picture.counts_of(analyte), picture.clumping, guideline.clumping_before_hours)
    occasions = gather_occasions(counts, limit, guideline.same_specimen_hours)
    standing = {result: mark for occasion in occasions for result, mark in _marks(occasion)}
    in_run = {result for occasion in run.occasions for result in occasion.results} if run else set()
    traced = [TracedCount(result, standing.get(result, Mark.OUTDONE), result in in_run) for result in counts]
    set_aside = [one for one in picture.set_aside if one.analyte is analyte]
    return Trend(
        analyte=analyte,
        limit=limit,
        counts=tuple(sorted(traced, key=lambda one: (chronology(one.result.collected), one.result.reference))),
        set_aside=tuple(sorted(set_aside, key=_dated_first)),
        run=run,
    )


def _marks(occasion: Occasion) -> Iterator[tuple[CountResult, Mark]]:
    mark = Mark.ESTIMATE if occasion.low_confidence else _MARK_OF_SIDE[occasion.side]
    return ((result, mark) for result in occasion.results)


_MARK_OF_SIDE = {
    Side.LOW: Mark.LOW,
    Side.NOT_LOW: Mark.NOT_LOW,
    Side.CONFLICTING: Mark.CONFLICTING,
    Side.UNRELIABLE: Mark.UNRELIABLE,
    Side.UNDECIDED: Mark.UNDECIDED,
}


def _dated_first(one: SetAside) -> tuple[bool, float, str]:
    return one.collected is None, chronology(one.collected).timestamp() if one.collected else 0.0, one.reference
