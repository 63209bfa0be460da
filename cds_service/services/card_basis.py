"""What a card rests on, kept so that a later call can tell whether things have worsened: no value, no name.

Knows no database, and no policy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import CompanionResult, CountResult
from cds_service.hematology.severity import ctcae_grade
from cds_service.hematology.verdicts import Assessment, FindingAssessment, Side
from cds_service.services.pseudonyms import Marks

T = TypeVar("T")
_LOW = {Side.LOW, Side.UNRELIABLE}


@dataclass(frozen=True)
class CardBasis:
    """The state of the findings behind one card.

    `verdicts` by finding; `grades`: CTCAE grade of the newest low count by analyte, however old; `results`: the mark of
    that count; `unsettled`: marks of newer results that couldn't be read, or contradict each other; `critical`: reason
    and mark of each result that is critical.
    """

    verdicts: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()
    critical: frozenset[str] = frozenset()

    @property
    def severity_band(self) -> str:
        """The grades in a line: leukocytes-2 platelets-1."""
        return " ".join(f"{analyte}-{grade}" for analyte, grade in sorted(self.grades.items()))

    def to_json(self) -> dict[str, object]:
        """As it is kept."""
        return {
            "verdicts": dict(self.verdicts),
            "grades": dict(self.grades),
            "results": dict(self.results),
            "unsettled": sorted(self.unsettled),
            "critical": sorted(self.critical),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> "CardBasis":
        """What was kept. Members that aren't understood are as good as none: nothing is quiet by them."""
        return cls(
            verdicts=_mapping(kept.get("verdicts"), str),
            grades=_mapping(kept.get("grades"), int),
            results=_mapping(kept.get("results"), str),
            unsettled=_texts(kept.get("unsettled")),
            critical=_texts(kept.get("critical")),
        )


def basis_of(assessment: Assessment, guideline: Guideline, marks: Marks) -> CardBasis:
    """The basis of the card that this assessment deserves."""
    low = {
        finding.newest.analyte.value: finding.newest.result
        for finding in (assessment.leukopenia, assessment.thrombocytopenia)
        if finding.newest and finding.newest.side in _LOW
    }
    return CardBasis(
        verdicts={finding.finding.value: finding.verdict.value for finding in assessment.findings},
        grades=_grades(assessment, guideline),
        results={analyte: marks.count(result) for analyte, result in low.items()},
        unsettled=frozenset(
            chain.from_iterable(_unsettled(one, marks) for one in (assessment.leukopenia, assessment.thrombocytopenia))
        ),
        critical=frozenset(f"{reason}:{_mark(result, marks)}" for reason, result, _ in assessment.severity.critical),
    )


def _grades(assessment: Assessment, guideline: Guideline) -> dict[str, int]:
    """Of the newest low counts whatever their age, so that the same count has the same grade next month."""
    graded = {analyte.value: grade for analyte, grade in assessment.severity.grades}
    for finding, bands in (
        (assessment.leukopenia, guideline.leukocyte_bands),
        (assessment.thrombocytopenia, guideline.platelet_bands),
    ):
        newest = finding.newest
        if newest and newest.side is Side.LOW and (grade := ctcae_grade(newest.result, bands, newest.analyte)):
            graded[newest.analyte.value] = grade
    return graded


def _unsettled(finding: FindingAssessment, marks: Marks) -> Iterator[str]:
    yield from map(marks.set_aside, finding.unread)
    if finding.conflicting:
        yield from map(marks.count, finding.conflicting.results)


def _mark(result: CountResult | CompanionResult, marks: Marks) -> str:
    return marks.companion(result) if isinstance(result, CompanionResult) else marks.count(result)


def _mapping(value: object, kind: type[T]) -> dict[str, T]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: part for name, part in pairs if isinstance(part, kind)}


def _texts(value: object) -> frozenset[str]:
    return frozenset(part for part in value if isinstance(part, str)) if isinstance(value, list) else frozenset()
