"""A site's FHIR R4 ConceptMaps, read strictly: which code it says is which code of ours, row by row.

Room: knowledge. Knows the shape of a ConceptMap (hl7.org/fhir/R4/conceptmap.html), refuses to know what a code is for.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cds_service.knowledge.strict_files import KnowledgeError, Table, read_json

ACTIVE, DRAFT, RETIRED, UNKNOWN = "active", "draft", "retired", "unknown"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+")
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?")
WITHOUT_BLANKS = re.compile(r"\S+")
TEXTS = ("title", "publisher", "description", "purpose", "copyright")
SCOPES = (("sourceUri", "sourceCanonical"), ("targetUri", "targetCanonical"))
WRITTEN = {"id": ID, "date": DATE} | dict.fromkeys(("language", "url", *SCOPES[0], *SCOPES[1]), WITHOUT_BLANKS)
"""Elements that aren't read, and how FHIR has them written."""
OBJECTS = ("meta", "text", "identifier")
LISTS = ("contact", "useContext", "jurisdiction", "contained", "extension")
"""Elements for catalogues and people; of these no more than the JSON type is looked at."""
NOT_UNDERSTOOD = {
    "implicitRules": "rules that aren't understood may change what the map says",
    "modifierExtension": "an extension that modifies may turn the meaning around",
    "unmapped": "there is no wildcard; list each code as an element",
    "dependsOn": "a mapping that holds only sometimes can't be judged here",
    "product": "a mapping with further products can't be judged here",
}


class Equivalence(StrEnum):
    """How the target relates to the source (R4 ConceptMapEquivalence): `wider` means that the target is the wider."""

    EQUAL = "equal"
    EQUIVALENT = "equivalent"
    WIDER = "wider"
    SUBSUMES = "subsumes"
    NARROWER = "narrower"
    SPECIALIZES = "specializes"
    INEXACT = "inexact"
    RELATED_TO = "relatedto"
    UNMATCHED = "unmatched"
    DISJOINT = "disjoint"


@dataclass(frozen=True)
class MapRow:
    """One target of one element. `element` and `key` are their places in the file; an unmatched one has no code."""

    file: str
    element: str
    key: str
    source: tuple[str, str]
    display: str
    target_system: str
    target_code: str | None
    equivalence: Equivalence

    @property
    def target(self) -> tuple[str, str] | None:
        """The target as (system, code)."""
        return None if self.target_code is None else (self.target_system, self.target_code)

    def error(self, problem: str) -> KnowledgeError:
        """An error that names this row's file and element."""
        return KnowledgeError(self.file, self.key, problem)


@dataclass(frozen=True)
class ConceptMapFile:
    """One ConceptMap. `digest` is the SHA-256 of the file's bytes, hexadecimal."""

    file: str
    name: str
    version: str
    approved: bool
    digest: str
    rows: tuple[MapRow, ...]


def read_concept_map(path: Path) -> ConceptMapFile:
    """One file. Raises KnowledgeError, which names file and element but no folder, on anything unexpected."""
    if not path.is_file():
        raise KnowledgeError(path.name, "", "there is no such file")
    table = read_json(path.parent, path.name)
    if table.text("resourceType") != "ConceptMap":
        raise table.error("resourceType", "expected ConceptMap (FHIR R4)")
    _refuse_not_understood(table)
    name, version = _matching(table, "name", NAME), _matching(table, "version", VERSION)
    approved = _is_approved(table)
    _skip_unread(table)
    groups = table.tables("group")
    rows = tuple(row for group in groups for row in _read_group(group))
    table.finish()
    if not rows:
        raise table.error("group", "maps nothing; leave the file out")
    return ConceptMapFile(path.name, name, version, approved, hashlib.sha256(path.read_bytes()).hexdigest(), rows)


def _matching(table: Table, key: str, pattern: re.Pattern[str]) -> str:
    """A text written as the pattern says; `name` and `version`, which the card shows, hold nothing to escape."""
    value = table.text(key)
    if not pattern.fullmatch(value):
        raise table.error(key, f"isn't written as it must be: {pattern.pattern}")
    return value


def _is_approved(table: Table) -> bool:
    """Whether the site stands by the map: status active, and not experimental."""
    status = table.text("status")
    if status == RETIRED:
        raise table.error("status", "this map is retired; leave it out, or use the one that replaces it")
    if status not in (ACTIVE, DRAFT, UNKNOWN):
        raise table.error("status", f"'{status}' is none of: {DRAFT}, {ACTIVE}, {RETIRED}, {UNKNOWN}")
    return not table.flag("experimental") and status == ACTIVE


def _skip_unread(table: Table) -> None:
    """Takes the elements that don't say what maps to what, checking no more than their JSON type."""
    table.ignore(*TEXTS)
    for key, pattern in WRITTEN.items():
        if key in table:
            _matching(table, key, pattern)
    for one, other in SCOPES:
        if one in table and other in table:
            raise table.error(other, f"{one} is given too; keep one")
    for key in OBJECTS:
        if key in table:
            table.table(key)
    _skip_lists(table, LISTS)


def _skip_lists(table: Table, keys: tuple[str, ...] = ("extension",)) -> None:
    for key in keys:
        if key in table:
            table.tables(key)


def _refuse_not_understood(table: Table) -> None:
    for key, reason in NOT_UNDERSTOOD.items():
        if key in table:
            raise table.error(key, f"{reason}; remove it")


def _read_group(group: Table) -> Iterator[MapRow]:
    _refuse_not_understood(group)
    source, target = _matching_uri(group, "source"), _matching_uri(group, "target")
    group.ignore("id", "sourceVersion", "targetVersion")
    _skip_lists(group)
    elements = group.tables("element")
    group.finish()
    if not elements:
        raise group.error("element", "maps nothing; leave the group out")
    for element in elements:
        yield from _read_element(element, source, target)


def _read_element(element: Table, source: str, target: str) -> Iterator[MapRow]:
    _refuse_not_understood(element)
    code = _read_code(element)
    display = element.text("display") if "display" in element else code
    element.ignore("id")
    _skip_lists(element)
    targets = element.tables("target")
    element.finish()
    if not targets:
        raise element.error("target", f"code {code} has no target; leave it out, or say equivalence unmatched")
    seen: set[str | None] = set()
    for found in targets:
        row = _read_target(found, element.key, (source, code), display, target)
        if row.target_code in seen:
            raise found.error("code", f"'{row.target_code}' stands in this element twice; keep one")
        seen.add(row.target_code)
        yield row


def _read_target(target: Table, element: str, source: tuple[str, str], display: str, system: str) -> MapRow:
    _refuse_not_understood(target)
    equivalence = target.choice("equivalence", Equivalence)
    code = _read_code(target) if equivalence is not Equivalence.UNMATCHED else None
    target.ignore("id", "display", "comment")
    _skip_lists(target)
    target.finish()
    return MapRow(target.file, element, target.key, source, display, system, code, equivalence)


def _read_code(table: Table) -> str:
    code = table.text("code")
    if not CODE.fullmatch(code) or not code.isprintable():
        raise table.error("code", "isn't written as a FHIR code: no blanks around it, single ones inside, no controls")
    return code


def _matching_uri(table: Table, key: str) -> str:
    uri = table.text(key)
    if not URI.fullmatch(uri) or not uri.isprintable():
        raise table.error(key, "must be an absolute URI of a code system, without blanks or '|'")
    return uri
