"""Code systems in which causes are coded: their URIs, and how a code of theirs is written and compared.

Room: knowledge. Refuses to know what any code means.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval
from cds_service.knowledge.strict_files import Table, read_toml

FILE = "systems.toml"
ICD_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
ICD_CATEGORY = 3
ATC_LEVELS = (1, 3, 4, 5, 7)


class Notation(StrEnum):
    """How codes of a system are compared."""

    ICD = "icd"
    ATC = "atc"
    EXACT = "exact"


@dataclass(frozen=True)
class CodeSystem:
    """One code system, or a family of national forms that share their codes. `uris[0]` is its own."""

    name: str
    notation: Notation
    uris: tuple[str, ...]
    who_rows_only: bool = False
    drop_marks: str = ""

    def normalise(self, code: str) -> str | None:
        """The code as it is compared; None: not a code of this notation."""
        if self.notation is Notation.EXACT:
            return code.strip() or None
        written = code.strip().upper().rstrip(self.drop_marks).rstrip(".")
        if self.notation is Notation.ATC:
            return written if written.isalnum() and len(written) in ATC_LEVELS else None
        return written.replace(".", "") if ICD_CODE.fullmatch(written) else None

    def ancestors(self, code: str) -> Iterator[str]:
        """The normalised code itself and every code it lies under, longest first."""
        if self.notation is Notation.EXACT:
            yield code
            return
        levels = ATC_LEVELS if self.notation is Notation.ATC else range(ICD_CATEGORY, len(code) + 1)
        yield from (code[:level] for level in reversed(levels) if level <= len(code))


def load_code_systems(directory: Path) -> tuple[Mapping[str, CodeSystem], Approval]:
    """The systems by URI. Raises KnowledgeError when a URI stands in two of them."""
    file = read_toml(directory, FILE)
    approval = read_approval(file)
    systems: dict[str, CodeSystem] = {}
    for name in tuple(file.keys_left()):
        system = _read_system(name, file.table(name))
        for uri in system.uris:
            if uri in systems:
                raise file.error(f"{name}.uris", f"'{uri}' also stands under '{systems[uri].name}'; keep one")
            systems[uri] = system
    return systems, approval


def _read_system(name: str, table: Table) -> CodeSystem:
    system = CodeSystem(
        name=name,
        notation=table.choice("notation", Notation),
        uris=table.texts("uris"),
        who_rows_only=table.flag("who_rows_only"),
        drop_marks=table.text("drop_marks") if "drop_marks" in table else "",
    )
    table.finish()
    if not system.uris:
        raise table.error("uris", "name at least one URI")
    return system
