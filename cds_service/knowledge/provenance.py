"""Where knowledge comes from: the statements of the source document, and which of them a piece of knowledge cites.

Room: knowledge. Refuses to know what is cited for what.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cds_service.knowledge.model import Statement
from cds_service.knowledge.strict_files import KnowledgeError, Table, read_toml

FILE = "source_document.toml"


def load_statements(directory: Path) -> Mapping[str, Statement]:
    """The source document's statements by id, in its order."""
    file = read_toml(directory, FILE)
    file.ignore("title")
    found: dict[str, Statement] = {}
    for name in tuple(file.keys_left()):
        table = file.table(name)
        excused = table.text("excused") if "excused" in table else None
        found[name] = Statement(name, table.text("locator"), table.text("paraphrase"), excused)
        table.finish()
    return found


def read_statement(table: Table) -> str | None:
    """The statement a piece cites, or None for a site default. Raises KnowledgeError unless it says one of the two."""
    cited, default = "statement" in table, table.flag("site_default")
    if cited == default:
        raise table.error("statement", "say either which statement it rests on, or site_default = true")
    return table.text("statement") if cited else None


def refuse_missing(citations: Iterable[tuple[str, str, str]], statements: Mapping[str, Statement]) -> None:
    """Raises KnowledgeError when a (file, key, statement) cites what the source document's file doesn't hold."""
    for file, key, statement in citations:
        if statement not in statements:
            raise KnowledgeError(file, key, f"cites '{statement}', which isn't in {FILE}")
