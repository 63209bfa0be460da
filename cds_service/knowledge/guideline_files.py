"""The criteria, one file per clinical concept, put together to the guideline the domain judges by.

Room: knowledge. Knows which numbers the domain asks for (the fields of `Guideline`), refuses to know what it does with
them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.hematology.criteria import Bands, CauseGroup, Criterion, Guideline
from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval, Plausibility
from cds_service.knowledge.provenance import read_statement
from cds_service.knowledge.strict_files import KnowledgeError, Table, file_names, read_toml

FOLDER = "criteria"
COUNT_UNIT = "10*9/L"
TIME_UNITS = ("d", "h", "a")
CRITERIA = tuple(found.name for found in fields(Guideline) if found.type is Criterion)
BANDS = tuple(found.name for found in fields(Guideline) if found.type is Bands)
JUDGEMENTS = (
    *("leukopenia", "bicytopenia", "primary", "secondary", "classes", "symptoms"),
    *("production", "destruction", "distribution"),
)
GRADES = ("grade_2", "grade_3", "grade_4")


@dataclass
class CriteriaFiles:
    """What the files told so far. `cited`: (file, key, statement) of everything that cites the source document."""

    files: dict[str, str] = field(default_factory=dict)
    criteria: dict[str, Criterion] = field(default_factory=dict)
    bands: dict[str, Bands] = field(default_factory=dict)
    cites: dict[str, str] = field(default_factory=dict)
    cited: list[tuple[str, str, str]] = field(default_factory=list)
    approvals: list[tuple[str, Approval]] = field(default_factory=list)
    accepted_statuses: frozenset[str] = frozenset()
    plausibility: Plausibility = field(default_factory=lambda: Plausibility({}, Decimal(0)))
    card_when_not_evaluable: bool = False

    def claim(self, table: Table, key: str) -> None:
        """Refuses a key that another file has too."""
        if key in self.files:
            raise table.error(key, f"also stands in {self.files[key]}; keep one")
        self.files[key] = table.file


def load_criteria(directory: Path) -> CriteriaFiles:
    """All criteria files. Raises KnowledgeError on a key no one asks for, a missing one, or one that stands twice."""
    found = CriteriaFiles()
    for name in file_names(directory, FOLDER, ".toml"):
        table = read_toml(directory, name)
        found.approvals.append((name, read_approval(table)))
        for key in tuple(table.keys_left()):
            _read_entry(found, table, key)
        table.finish()
    for key in (*CRITERIA, *BANDS, "accepted_statuses", "plausible", "card_when_not_evaluable"):
        if key not in found.files:
            raise KnowledgeError(FOLDER, key, "missing; one of the files in this folder must give it")
    for judgement in JUDGEMENTS:
        if judgement not in found.cites:
            raise KnowledgeError(FOLDER, f"cites.{judgement}", "missing; say which statement this judgement rests on")
    return found


def guideline(found: CriteriaFiles, groups: tuple[CauseGroup, ...]) -> Guideline:
    """The guideline of the criteria read and the cause groups."""
    numbers: dict[str, Any] = {**found.criteria, **found.bands}
    return Guideline(
        **numbers,
        statements=dict(found.cites),
        groups=groups,
        card_when_not_evaluable=found.card_when_not_evaluable,
    )


def _read_entry(found: CriteriaFiles, table: Table, key: str) -> None:
    if key == "cites":
        for judgement, statement in _cites(table.table(key)):
            found.claim(table, f"cites.{judgement}")
            found.cites[judgement] = statement
            found.cited.append((table.file, f"cites.{judgement}", statement))
        return
    found.claim(table, key)
    if key in BANDS:
        found.bands[key] = _read_bands(table.table(key), key)
    elif key == "accepted_statuses":
        found.accepted_statuses = _read_statuses(table.table(key))
    elif key == "plausible":
        found.plausibility = _read_plausibility(table.table(key))
    elif key == "card_when_not_evaluable":
        found.card_when_not_evaluable = _read_switch(table.table(key))
    elif key in CRITERIA:
        criterion = found.criteria[key] = _read_criterion(table.table(key), key)
        if criterion.statement is not None:
            found.cited.append((table.file, f"{key}.statement", criterion.statement))
    else:
        raise table.error(key, "unknown criterion; correct its spelling or remove it")


def _cites(table: Table) -> Iterator[tuple[str, str]]:
    for judgement in tuple(table.keys_left()):
        yield judgement, table.text(judgement)


def _read_criterion(table: Table, identity: str) -> Criterion:
    value, unit = table.decimal("value"), table.text("unit")
    if unit not in (COUNT_UNIT, *TIME_UNITS):
        raise table.error("unit", f"'{unit}' is none of: {', '.join((COUNT_UNIT, *TIME_UNITS))}")
    if unit in TIME_UNITS and value != int(value):
        raise table.error("value", f"'{value}' isn't a whole number, as a time must be")
    criterion = Criterion(identity, value, unit, read_statement(table))
    table.ignore("note")
    table.finish()
    return criterion


def _read_bands(table: Table, name: str) -> Bands:
    first, second, third = (_read_criterion(table.table(grade), f"{name}.{grade}") for grade in GRADES)
    table.finish()
    if not first.value > second.value > third.value:
        raise table.error("", "a higher grade needs a lower limit")
    return Bands((first, second, third))


def _read_statuses(table: Table) -> frozenset[str]:
    statuses = frozenset(table.texts("values"))
    read_statement(table)
    table.ignore("note")
    table.finish()
    return statuses


def _read_plausibility(table: Table) -> Plausibility:
    at_most: Mapping[Analyte, Decimal] = {analyte: table.decimal(f"{analyte}_at_most") for analyte in Analyte}
    found = Plausibility(at_most=at_most, above_zero_at_least=table.decimal("above_zero_at_least"))
    if table.text("unit") != COUNT_UNIT:
        raise table.error("unit", f"expected {COUNT_UNIT}")
    read_statement(table)
    table.ignore("note")
    table.finish()
    return found


def _read_switch(table: Table) -> bool:
    value = table.flag("value")
    read_statement(table)
    table.ignore("note")
    table.finish()
    return value
