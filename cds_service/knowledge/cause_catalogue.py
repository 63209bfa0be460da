"""Conditions and drugs by cause group: what the codes (or the drug name) of one resource mean.

Room: knowledge. Refuses to know FHIR, dates and whether a record stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cds_service.hematology.clinical_picture import CauseMatch, Course, Use
from cds_service.knowledge.code_systems import CodeSystem, Notation

STRENGTH = {use: rank for rank, use in enumerate((Use.EVIDENCE, Use.WEAK, Use.CONTEXT, Use.NOISE, Use.NONE))}
NO_MATCH = re.compile(r"(?!)")


@dataclass(frozen=True)
class CauseRow:
    """One row of a value set: a code, what it means for one group, and whether it holds for the codes below it."""

    meaning: CauseMatch
    prefix: bool
    who: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A row that holds for a coding. `length` compares rows of one system; zero where length says nothing."""

    system: str
    length: int
    meaning: CauseMatch

    def rank(self) -> tuple[int, int, bool]:
        """Lower decides: the longest row of a system, of equal rows the stronger."""
        return (-self.length, *_weakness(self.meaning))


class CodedCauses:
    """The catalogue, indexed once by system and normalised code, and by drug name."""

    def __init__(self, systems: Mapping[str, CodeSystem], rows: Iterable[CauseRow]) -> None:
        self._systems = systems
        self._rows = _index(systems, tuple(rows))
        self._names: dict[str, tuple[CauseMatch, ...]] = {}
        for row in rows:
            for name in row.names:
                self._names[name.casefold()] = (*self._names.get(name.casefold(), ()), row.meaning)
        alternatives = "|".join(re.escape(name) for name in sorted(self._names, key=len, reverse=True))
        self._name_pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if alternatives else NO_MATCH

    def match_codings(self, codings: tuple[tuple[str, str], ...]) -> tuple[CauseMatch, ...]:
        """One match per group: within a code system the longest row decides, also when it is weak.

        Where codes of several systems speak of one group, the strongest use stands, then the chronic course, then the
        first coding. Rows that can't mean anything (use none) are left out. Matches carry the chart's own system and
        code.
        """
        deciding: dict[tuple[str, str], Hit] = {}
        for system, code in codings:
            for hit in self._hits(system, code):
                key = (hit.system, hit.meaning.group)
                if key not in deciding or hit.rank() < deciding[key].rank():
                    deciding[key] = hit
        return _strongest_by_group(hit.meaning for hit in deciding.values())

    def match_drug_name(self, text: str) -> tuple[CauseMatch, ...]:
        """One match per group whose single substance is named in the text as a whole word, letter case ignored."""
        names = (found.group() for found in self._name_pattern.finditer(text.casefold()))
        return _strongest_by_group(meaning for name in names for meaning in self._names[name])

    def knows_code(self, system: str, code: str) -> bool:
        """Whether this code is in the catalogue under any use."""
        return next(self._hits(system, code), None) is not None

    def understands_system(self, system: str) -> bool:
        """Whether codes of this system can be matched at all."""
        return system in self._systems

    def understands_code(self, system: str, code: str) -> bool:  # noqa: ARG002 - all codes of its systems are
        """Whether this code can be matched: as good as its system."""
        return self.understands_system(system)

    def _hits(self, uri: str, code: str) -> Iterator[Hit]:
        system = self._systems.get(uri)
        normalised = system.normalise(code) if system else None
        if system is None or normalised is None:
            return
        rows = self._rows.get(system.name, {})
        for ancestor in system.ancestors(normalised):
            held = [row for row in rows.get(ancestor, ()) if row.prefix or ancestor == normalised]
            length = 0 if system.notation is Notation.EXACT else len(ancestor)
            for row in held:
                yield Hit(system.name, length, replace(row.meaning, system=uri, code=code.strip()))
            if held and system.notation is Notation.ATC:
                return  # a drug belongs to its longest row alone: methotrexate is no longer "antineoplastic agents"


def _index(systems: Mapping[str, CodeSystem], rows: tuple[CauseRow, ...]) -> dict[str, dict[str, tuple[CauseRow, ...]]]:
    """Rows by system and normalised code; a family of WHO forms holds the rows that are good there."""
    found: dict[str, dict[str, tuple[CauseRow, ...]]] = {}
    who_families = {system.name: system for system in systems.values() if system.who_rows_only}
    for row in rows:
        own = systems[row.meaning.system]
        homes = {own.name: own, **(who_families if row.who else {})}
        for system in homes.values():
            code = system.normalise(row.meaning.code) or row.meaning.code
            category = system.who_rows_only and len(code) == 3
            held = replace(row, prefix=row.prefix or category)
            by_code = found.setdefault(system.name, {})
            by_code[code] = (*by_code.get(code, ()), held)
    return found


def _weakness(meaning: CauseMatch) -> tuple[int, bool]:
    """Lower is stronger. A chronic code counts while active: an acute one beside it, with its window, takes nothing."""
    return STRENGTH[meaning.use], meaning.course is Course.ACUTE


def _strongest_by_group(meanings: Iterable[CauseMatch]) -> tuple[CauseMatch, ...]:
    found: dict[str, CauseMatch] = {}
    for meaning in meanings:
        known = found.get(meaning.group)
        if known is None or _weakness(meaning) < _weakness(known):
            found[meaning.group] = meaning
    return tuple(meaning for meaning in found.values() if meaning.use is not Use.NONE)
