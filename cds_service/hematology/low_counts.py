"""Which low counts a cause can explain: the newest and the first of the findings a row affects."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cds_service.hematology.clinical_picture import Affects
from cds_service.hematology.verdicts import FindingAssessment, Verdict

_LOW = frozenset({Verdict.PRESENT, Verdict.UNCONFIRMED, Verdict.UNRELIABLE})


@dataclass(frozen=True)
class LowCounts:
    """The two findings of one analyte each, asked by what a row affects."""

    leukopenia: FindingAssessment
    thrombocytopenia: FindingAssessment

    @property
    def any(self) -> bool:
        """Whether a finding is there whose causes are to be assessed."""
        return any(self._affected(Affects.BOTH))

    def newest(self, affects: Affects) -> date | None:
        """The day of the newest low count of the finding a row affects, of both the later; None: no such finding."""
        days = [finding.newest.collected.day for finding in self._affected(affects) if finding.newest]
        return max(days, default=None)

    def first(self, affects: Affects) -> date | None:
        """The day of the first low count of the finding a row affects, of both the earlier."""
        oldest = [finding.run.oldest if finding.run else finding.newest for finding in self._affected(affects)]
        return min((occasion.collected.day for occasion in oldest if occasion), default=None)

    def _affected(self, affects: Affects) -> Iterator[FindingAssessment]:
        if affects is not Affects.PLATELETS and self.leukopenia.verdict in _LOW:
            yield self.leukopenia
        if affects is not Affects.LEUKOCYTES and self.thrombocytopenia.verdict in _LOW:
            yield self.thrombocytopenia
