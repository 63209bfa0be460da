"""Groups of causes, one file each: what the card calls them, which causes the document names in them.

Room: knowledge. Refuses to know codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from cds_service.hematology.criteria import CauseGroup
from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval
from cds_service.knowledge.provenance import read_statement
from cds_service.knowledge.strict_files import KnowledgeError, Table, file_names, read_toml

FOLDER = "cause_groups"


class Mechanism(StrEnum):
    """How a cause lowers a count (the document's three)."""

    PRODUCTION = "production"
    DESTRUCTION = "destruction"
    DISTRIBUTION = "distribution"


@dataclass(frozen=True)
class GroupFile:
    """A group as its file tells it. `opposite_of`: groups that no code of this one may support."""

    file: str
    order: int
    group: CauseGroup
    opposite_of: tuple[str, ...]
    approval: Approval


def load_cause_groups(directory: Path) -> dict[str, GroupFile]:
    """The groups by id (the file's name), in the order they stand on the card."""
    found = [_read_group(read_toml(directory, name)) for name in file_names(directory, FOLDER, ".toml")]
    by_order: dict[int, str] = {}
    for group in found:
        if group.order in by_order:
            raise KnowledgeError(group.file, "order", f"{group.order} is also the order of {by_order[group.order]}")
        by_order[group.order] = group.file
    groups = {group.group.id: group for group in sorted(found, key=lambda group: group.order)}
    for group in found:
        for opposite in group.opposite_of:
            if opposite not in groups:
                raise KnowledgeError(group.file, "opposite_of", f"there is no group '{opposite}'")
    return groups


def opposites(groups: Mapping[str, GroupFile]) -> Mapping[str, tuple[str, ...]]:
    """The groups that say so, each with the groups of opposite meaning."""
    return {name: group.opposite_of for name, group in groups.items() if group.opposite_of}


def _read_group(table: Table) -> GroupFile:
    mechanisms = table.texts("mechanisms")
    for mechanism in mechanisms:
        if mechanism not in tuple(Mechanism):
            raise table.error("mechanisms", f"'{mechanism}' is none of: {', '.join(Mechanism)}")
    group = CauseGroup(
        id=PurePosixPath(table.file).stem,
        name=table.text("name"),
        named_causes=table.texts("named_causes"),
        mechanisms=mechanisms,
        context_only=table.flag("context_only"),
        always_named=table.flag("always_named"),
        statement=read_statement(table),
    )
    if group.context_only and (group.always_named or group.named_causes):
        raise table.error("context_only", "a group that is context only names no cause of the document")
    opposite_of = table.texts("opposite_of") if "opposite_of" in table else ()
    found = GroupFile(table.file, table.whole("order"), group, opposite_of, read_approval(table))
    table.ignore("note")
    table.finish()
    return found
