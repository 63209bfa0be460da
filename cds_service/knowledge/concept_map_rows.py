"""The rows of a site's concept maps, held against our value sets: what each adds, which are not used, which refused.

Room: knowledge. Knows how far a mapping may be trusted, refuses to know files, FHIR and what a cause leads to.

Only a code that means the same makes a laboratory test ours. A cause may also be mapped to a wider code, since whoever
has the narrower condition has the wider one; never to a narrower one, which would claim more than the chart records.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cds_service.hematology.clinical_picture import Use
from cds_service.knowledge.concept_map_files import Equivalence, MapRow
from cds_service.knowledge.model import CauseCatalogue, LabCode, LabUse
from cds_service.knowledge.strict_files import KnowledgeError

SAME = (Equivalence.EQUAL, Equivalence.EQUIVALENT)
IMPLIED = (*SAME, Equivalence.WIDER, Equivalence.SUBSUMES)
NO_TARGET = (Equivalence.UNMATCHED, Equivalence.DISJOINT)
Coding = tuple[str, str]
"""System and code."""
LabCodes = Mapping[Coding, LabCode]
Opposites = Mapping[str, tuple[str, ...]]
"""Groups of causes, and the groups that mean the opposite."""


class Verdict(StrEnum):
    """What becomes of a row: used; not used, which is in order; refused, so that the map can't be used at all."""

    USED = "used"
    NOT_USED = "not used"
    REFUSED = "refused"


@dataclass(frozen=True)
class JudgedRow:
    """A row and what becomes of it; `says` is what its code means, or why it isn't used."""

    row: MapRow
    verdict: Verdict
    says: str


@dataclass
class SiteCodes:
    """What the used rows add to our tests and causes; every row judged, in order."""

    lab_codes: dict[Coding, LabCode] = field(default_factory=dict)
    causes: dict[Coding, tuple[Coding, ...]] = field(default_factory=dict)
    rows: list[JudgedRow] = field(default_factory=list)


class RowJudge:
    """Judges rows one after the other; each is also held against those before it."""

    def __init__(self, lab_codes: LabCodes, causes: CauseCatalogue, opposites: Opposites) -> None:
        self._labs = lab_codes
        self._causes = causes
        self._opposites = opposites
        self._places: dict[tuple[Coding, str], MapRow] = {}
        self.site = SiteCodes()

    def judge(self, rows: Iterable[MapRow]) -> None:
        """Judge these rows; a refused one stops nothing."""
        for row in rows:
            try:
                verdict, says = self._judge(row)
            except _Refused as refusal:
                verdict, says = Verdict.REFUSED, str(refusal)
            self.site.rows.append(JudgedRow(row, verdict, says))

    def _judge(self, row: MapRow) -> tuple[Verdict, str]:
        self._refuse_repeated(row)
        if row.target_code is None or row.equivalence in NO_TARGET:
            return Verdict.NOT_USED, f"{row.equivalence}: the map itself says that it has no counterpart"
        target = (row.target_system, row.target_code)
        if target in self._labs:
            return self._judge_test(row, self._labs[target])
        if self._causes.knows_code(*target):
            return self._judge_cause(row, target)
        known = any(system == row.target_system for system, _ in self._labs)
        if known or self._causes.understands_system(row.target_system):
            raise _Refused(f"the target {row.target_code} is in no value set; correct it, or leave the element out")
        raise _Refused(f"'{row.target_system}' is no system of ours; use that of a test, a condition or a drug")

    def _refuse_repeated(self, row: MapRow) -> None:
        """A code stands in one element for each target system, over all maps."""
        first = self._places.setdefault((row.source, row.target_system), row)
        if (first.file, first.element) != (row.file, row.element):
            where = f"{first.file}: {first.element}"
            raise _Refused(f"code {row.source[1]} is mapped to this system already, in {where}; keep one")

    def _judge_test(self, row: MapRow, target: LabCode) -> tuple[Verdict, str]:
        if row.equivalence not in SAME:
            return Verdict.NOT_USED, f"{row.equivalence}: only equal or equivalent makes a test ours"
        if row.source in self.site.causes or self._causes.knows_code(*row.source):
            raise _Refused(f"code {row.source[1]} is a cause already, and can't be a test too")
        ours = replace(target, system=row.source[0], code=row.source[1], display=row.display)
        for known in (self._labs.get(row.source), self.site.lab_codes.get(row.source)):
            if known is not None and _use(known) != _use(ours):
                raise _Refused(f"makes code {row.source[1]} {_use(ours)}, but it is {_use(known)} already")
        if row.source in self._labs:
            return Verdict.NOT_USED, f"is ours already: {_use(ours)}"
        self.site.lab_codes.setdefault(row.source, ours)
        return Verdict.USED, _use(ours)

    def _judge_cause(self, row: MapRow, target: Coding) -> tuple[Verdict, str]:
        if row.equivalence not in IMPLIED:
            return Verdict.NOT_USED, f"{row.equivalence}: the target would claim more than the code says"
        if row.source in self.site.lab_codes or row.source in self._labs:
            raise _Refused(f"code {row.source[1]} is a test already, and can't be a cause too")
        if self._causes.knows_code(*row.source):
            own, other = self._groups(row.source), self._groups(target)
            if own != other:
                raise _Refused(f"makes code {row.source[1]} {other}, but it is {own} already")
            return Verdict.NOT_USED, f"is ours already: {own}"
        targets = (*self.site.causes.get(row.source, ()), target)
        self._refuse_opposites(row, targets)
        self.site.causes[row.source] = targets
        return Verdict.USED, self._groups(target)

    def _refuse_opposites(self, row: MapRow, targets: tuple[Coding, ...]) -> None:
        evidence = {match.group for match in self._causes.match_codings(targets) if match.use is Use.EVIDENCE}
        for match in self._causes.match_codings(targets):
            for opposite in evidence.intersection(self._opposites.get(match.group, ())):
                problem = f"makes code {row.source[1]} both '{match.group}' and '{opposite}', which mean the opposite"
                raise _Refused(problem)

    def _groups(self, coding: Coding) -> str:
        """What a code of ours means, in words: groups with their use."""
        matches = self._causes.match_codings((coding,))
        return ", ".join(f"{match.group} ({match.use})" for match in matches) or "no cause"


class _Refused(Exception):
    """Why a row makes its map unusable."""


def refusal(judged: JudgedRow) -> KnowledgeError:
    """The error of a refused row, which names file and element."""
    return KnowledgeError(judged.row.file, judged.row.key, judged.says)


def _use(code: LabCode) -> str:
    """What a test is for, in words."""
    corrected = ", corrected for nucleated red cells" if code.nrbc_corrected else ""
    return {
        LabUse.COUNT: f"count of {code.analyte}{corrected}",
        LabUse.LOW_CONFIDENCE_COUNT: f"low-confidence count of {code.analyte}{corrected}",
        LabUse.COMPANION: f"shown beside the counts: {code.companion}",
        LabUse.CLUMPING: "test for platelet clumps",
        LabUse.PANEL: "panel that holds counts",
        LabUse.NEVER: "never a count",
    }[code.use]
