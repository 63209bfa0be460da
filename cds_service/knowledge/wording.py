"""Every sentence a card or a page says, and the templates that arrange them.

Room: knowledge. Refuses to know which sentence is said when, and what fills its placeholders.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval
from cds_service.knowledge.strict_files import Table, read_text, read_toml

FOLDER = "cards"
FILE = f"{FOLDER}/wording.toml"
TEMPLATE_SUFFIX = ".j2"
STATEMENT = "statement"
ABOUT_THE_TABLE = ("approval", STATEMENT)


@dataclass
class Wording:
    """Sentences by dotted key; `cited`: (file, table, statement) of the tables that cite the source document."""

    sentences: dict[str, str] = field(default_factory=dict)
    cited: list[tuple[str, str, str]] = field(default_factory=list)
    approvals: list[tuple[str, Approval]] = field(default_factory=list)


def load_wording(directory: Path) -> Wording:
    """The sentences of `cards/wording.toml`. Raises KnowledgeError on a table of sentences without approval."""
    found = Wording()
    _read_table(found, read_toml(directory, FILE))
    return found


def load_templates(directory: Path) -> dict[str, str]:
    """The templates of the folder by file name; there may be none."""
    names = sorted(path.name for path in (directory / FOLDER).glob(f"*{TEMPLATE_SUFFIX}"))
    return {name: read_text(directory, f"{FOLDER}/{name}") for name in names}


def _read_table(found: Wording, table: Table) -> None:
    keys = [key for key in table.keys_left() if key not in ABOUT_THE_TABLE]
    sentences = [key for key in keys if not table.is_table(key)]
    if sentences or "approval" in table:
        found.approvals.append((f"{FILE} [{table.key}]", read_approval(table)))
    if STATEMENT in table:
        cited = table.texts(STATEMENT) if table.is_list(STATEMENT) else (table.text(STATEMENT),)
        found.cited.extend((FILE, table.path(STATEMENT), statement) for statement in cited)
    for key in sentences:
        found.sentences[table.path(key)] = table.text(key)
    for key in keys:
        if table.is_table(key):
            _read_table(found, table.table(key))
