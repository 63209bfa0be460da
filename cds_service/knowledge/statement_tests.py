"""Finds the tests that say which statement of the source document they rest on.

Room: knowledge, a tool of the project's own checkout. Reads tests as text, runs none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SAY = re.compile(r"^- say:\s*(?P<says>.+?)\s*$")
YAML_STATEMENT = re.compile(r"^\s+statement:\s*\[?(?P<ids>[\w\s,-]+)\]?\s*$")
MARK = re.compile(r"^\s*@pytest\.mark\.statement\((?P<ids>[^)]*)\)")
PYTHON_TEST = re.compile(r"^\s*def (?P<name>test_\w+)")


@dataclass(frozen=True)
class StatementTest:
    """A test that rests on a statement: the file below the project, and what it says."""

    file: str
    says: str


def find_tests(tests: Path) -> dict[str, list[StatementTest]]:
    """Tests by statement id: sentences with the key `statement`, tests marked `pytest.mark.statement("id", ...)`."""
    found: dict[str, list[StatementTest]] = {}
    for path in sorted((*tests.rglob("*.yaml"), *tests.rglob("*.py"))):
        file = path.relative_to(tests.parent).as_posix()
        lines = path.read_text(encoding="utf-8").splitlines()
        for statement, says in _sentences(lines) if path.suffix == ".yaml" else _marked(lines):
            found.setdefault(statement, []).append(StatementTest(file, says))
    return found


def _sentences(lines: list[str]) -> Iterator[tuple[str, str]]:
    says = ""
    for line in lines:
        if sentence := SAY.match(line):
            says = sentence["says"].strip("\"'")
        elif cited := YAML_STATEMENT.match(line):
            yield from ((statement, says) for statement in _ids(cited["ids"]))


def _marked(lines: list[str]) -> Iterator[tuple[str, str]]:
    statements: list[str] = []
    for line in lines:
        if mark := MARK.match(line):
            statements.extend(_ids(mark["ids"]))
        elif test := PYTHON_TEST.match(line):
            yield from ((statement, test["name"].removeprefix("test_").replace("_", " ")) for statement in statements)
            statements = []


def _ids(text: str) -> list[str]:
    return [part.strip(" \"'") for part in text.split(",") if part.strip(" \"'")]
