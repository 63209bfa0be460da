"""FHIR R4 ValueSets as this project writes them: codes with their meaning in extensions of `compose.include`.

Room: knowledge. Knows the shape of a ValueSet and where an extension may stand, refuses to know what a code is for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cds_service.knowledge.approvals import APPROVED, DRAFT
from cds_service.knowledge.model import Approval
from cds_service.knowledge.strict_files import KnowledgeError, Table, file_names, read_json

FOLDER = "value_sets"
CANONICAL = "https://cytopenia-cds.org/fhir"
EXTENSION = f"{CANONICAL}/StructureDefinition/"
VERIFIED = "VERIFIED "
READ_BY_PEOPLE = ("name", "title", "description", "copyright")
REPEATABLE = ("mechanism",)


@dataclass(frozen=True)
class Concept:
    """One code. `names` are further names of it (FHIR designations)."""

    system: str
    code: str
    display: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Include:
    """Codes of one system that share their meaning; `meaning` holds the extensions by the last part of their URL."""

    meaning: Table
    concepts: tuple[Concept, ...]


@dataclass(frozen=True)
class ValueSet:
    """One ValueSet. `cause_group`: told for sets of causes."""

    file: str
    approval: Approval
    cause_group: str | None
    includes: tuple[Include, ...]


def load_value_sets(directory: Path) -> tuple[ValueSet, ...]:
    """Every ValueSet of the folder. Raises KnowledgeError on anything unexpected."""
    return tuple(_read_value_set(read_json(directory, name)) for name in file_names(directory, FOLDER, ".json"))


def _read_value_set(table: Table) -> ValueSet:
    if table.text("resourceType") != "ValueSet":
        raise table.error("resourceType", "expected ValueSet")
    identity = table.text("id")
    if table.file != f"{FOLDER}/{identity}.json":
        raise table.error("id", f"'{identity}' should be the file's name")
    if table.text("url") != f"{CANONICAL}/ValueSet/{identity}":
        raise table.error("url", f"expected {CANONICAL}/ValueSet/{identity}")
    table.ignore(*READ_BY_PEOPLE)
    extensions = _extensions(table)
    approval = _approval(table, extensions)
    group = extensions.text("cause-group") if "cause-group" in extensions else None
    extensions.finish()
    compose = table.table("compose")
    found = ValueSet(table.file, approval, group, tuple(map(_read_include, compose.tables("include"))))
    compose.finish()
    table.finish()
    return found


def _approval(table: Table, extensions: Table) -> Approval:
    """FHIR's own `status`: draft, or active with the extensions approved-by and approved-on."""
    if "status" not in table:
        raise table.error("status", 'missing; write "draft", or "active" with the extensions approved-by, approved-on')
    status = table.text("status")
    if status == DRAFT:
        return Approval(DRAFT)
    if status != "active":
        raise table.error("status", f"'{status}' is none of: draft, active")
    return Approval(APPROVED, by=extensions.text("approved-by"), on=extensions.text("approved-on"))


def _read_include(table: Table) -> Include:
    system = table.text("system")
    meaning = _extensions(table)
    concepts = tuple(_read_concept(concept, system) for concept in table.tables("concept"))
    table.finish()
    return Include(meaning, concepts)


def _read_concept(table: Table, system: str) -> Concept:
    code = table.text("code")
    extensions = _extensions(table)
    source = extensions.text("source") if "source" in extensions else ""
    if not source.startswith(VERIFIED) or not source.removeprefix(VERIFIED).strip():
        problem = f"code {code} is unverified; give the extension source, beginning with '{VERIFIED.strip()}'"
        raise table.error("extension.source", problem)
    extensions.finish()
    names = tuple(_read_designations(table))
    concept = Concept(system, code, table.text("display"), names)
    table.finish()
    return concept


def _read_designations(table: Table) -> Iterator[str]:
    if "designation" in table:
        for designation in table.tables("designation"):
            yield designation.text("value")
            designation.finish()


def _extensions(table: Table) -> Table:
    """The extensions of an element as one table, by the last part of their URL; `mechanism` may repeat."""
    found: dict[str, object] = {}
    repeated: dict[str, list[object]] = {name: [] for name in REPEATABLE}
    for extension in table.tables("extension") if "extension" in table else ():
        url = extension.text("url")
        name = url.removeprefix(EXTENSION)
        if name == url:
            raise extension.error("url", f"'{url}' is unknown; extensions here begin with {EXTENSION}")
        value = _value(extension)
        if name in REPEATABLE:
            found[name] = repeated[name]
            repeated[name].append(value)
        elif name in found:
            raise KnowledgeError(table.file, table.path(f"extension.{name}"), "stands twice; keep one")
        else:
            found[name] = value
    return Table(table.file, found, table.path("extension"))


def _value(extension: Table) -> object:
    for kind in ("valueCode", "valueString", "valueDate"):
        if kind in extension:
            value: object = extension.text(kind)
            break
    else:
        value = extension.flag("valueBoolean")
    extension.finish()
    return value
