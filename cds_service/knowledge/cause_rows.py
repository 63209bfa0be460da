"""Rows of the cause catalogue, read from value sets and checked against each other.

Room: knowledge. Refuses to know how rows are matched.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cds_service.hematology.clinical_picture import Affects, CauseMatch, Course, Downgrade, Use
from cds_service.knowledge.cause_catalogue import CauseRow, CodedCauses
from cds_service.knowledge.cause_groups import GroupFile, Mechanism, opposites
from cds_service.knowledge.code_systems import ATC_LEVELS, CodeSystem, Notation
from cds_service.knowledge.strict_files import KnowledgeError, Table
from cds_service.knowledge.value_sets import Concept, ValueSet

MATCHES = ("exact", "prefix", "ingredient")
SEVERAL_SUBSTANCES = re.compile(r"[,;/]|\band\b")


def cause_rows(
    value_sets: Iterable[ValueSet], groups: Mapping[str, GroupFile], systems: Mapping[str, CodeSystem]
) -> tuple[CauseRow, ...]:
    """All rows. Raises KnowledgeError on an unknown group or system, or a code that stands twice in a group."""
    rows: list[CauseRow] = []
    seen: set[tuple[str, str, str]] = set()
    for value_set in value_sets:
        if value_set.cause_group is None:
            continue
        for row in _rows_of(value_set, value_set.cause_group, systems):
            meaning = row.meaning
            key = (meaning.group, meaning.system, meaning.code)
            if key in seen:
                raise KnowledgeError(value_set.file, f"code {meaning.code}", "stands twice in this group; keep one")
            if meaning.group not in groups and meaning.use is not Use.NONE:
                problem = f"'{meaning.group}' has no file in cause_groups, so its codes may only have use none"
                raise KnowledgeError(value_set.file, "extension.cause-group", problem)
            seen.add(key)
            rows.append(row)
    with_codes = {group for group, _, _ in seen}
    for name, group in groups.items():
        if name not in with_codes:
            raise KnowledgeError(group.file, "", f"no value set holds a code of this group; add causes-{name}.json")
    return tuple(rows)


def refuse_opposites(rows: Iterable[CauseRow], causes: CodedCauses, groups: Mapping[str, GroupFile]) -> None:
    """Raises KnowledgeError when a code of a group is also evidence for a group of opposite meaning."""
    opposite_of = opposites(groups)
    for own in (row.meaning for row in rows if row.meaning.group in opposite_of):
        for other in causes.match_codings(((own.system, own.code),)):
            if other.group in opposite_of[own.group] and other.use is Use.EVIDENCE:
                problem = f"also evidence for '{other.group}', which means the opposite; keep it in one of them"
                raise KnowledgeError(f"value_sets/causes-{own.group}.json", f"code {own.code}", problem)


def _rows_of(value_set: ValueSet, group: str, systems: Mapping[str, CodeSystem]) -> Iterator[CauseRow]:
    for include in value_set.includes:
        table = include.meaning
        match = table.text("match")
        if match not in MATCHES:
            raise table.error("match", f"'{match}' is none of: {', '.join(MATCHES)}")
        who = table.flag("who-icd-10")
        meaning = _meaning(table, group)
        for concept in include.concepts:
            system = systems.get(concept.system)
            if system is None:
                raise table.error("system", f"'{concept.system}' isn't in systems.toml")
            if system.normalise(concept.code) is None:
                raise table.error(f"code {concept.code}", f"isn't written as a code of {system.name}")
            yield CauseRow(
                meaning=replace(meaning, system=concept.system, code=concept.code, display=concept.display),
                prefix=match == "prefix",
                who=who,
                names=_names(concept, match, system),
            )


def _meaning(table: Table, group: str) -> CauseMatch:
    """What all codes of one include mean; their system, code and display are still to be filled in."""
    meaning = CauseMatch(
        group=group,
        use=table.choice("use", Use),
        course=table.choice("course", Course),
        affects=table.choice("affects", Affects),
        system="",
        code="",
        display="",
        downgrade=table.choice("downgrade", Downgrade) if "downgrade" in table else None,
        mechanisms=table.texts("mechanism") if "mechanism" in table else (),
    )
    for mechanism in meaning.mechanisms:
        if mechanism not in tuple(Mechanism):
            raise table.error("mechanism", f"'{mechanism}' is none of: {', '.join(Mechanism)}")
    table.ignore("note")
    table.finish()
    return meaning


def _names(concept: Concept, match: str, system: CodeSystem) -> tuple[str, ...]:
    """Names a drug may go by: an ingredient's or an ATC substance's, never a class's or a combination's."""
    substance = match == "ingredient" or (system.notation is Notation.ATC and len(concept.code) == ATC_LEVELS[-1])
    if not substance:
        return ()
    return concept.names or (() if SEVERAL_SUBSTANCES.search(concept.display) else (concept.display,))
