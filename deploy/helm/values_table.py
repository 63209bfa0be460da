"""Makes the list of values in the chart's README from values.yaml: `python -m deploy.helm.values_table`.

In values.yaml a comment stands above each value, or above the group that is given as a whole.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parent / "cytopenia-cds"
README = CHART / "README.md"
_KEY = re.compile(r"^( *)([A-Za-z_]+):")
_BEGIN, _END = "<!-- values -->\n", "<!-- end of values -->\n"


class Value(NamedTuple):
    """One value: the path of its keys, its default, what it means; a group of values has no default of its own."""

    path: str
    default: object
    meaning: str


def read_values() -> list[Value]:
    """The values, in the file's order; what lies below a value without comments of its own is its default."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    comments = dict(_comments(text.splitlines()))
    return list(_walk(yaml.safe_load(text), "", comments))


def _comments(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The path of each key with a comment right above it, and the comment."""
    keys: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in lines:
        if line.strip().startswith("# "):
            comment.append(line.strip().removeprefix("# "))
            continue
        if found := _KEY.match(line):
            depth = len(found[1])
            keys = [*(key for key in keys if key[0] < depth), (depth, found[2])]
            if comment:
                yield ".".join(name for _, name in keys), " ".join(comment)
        comment = []


def _walk(node: dict[str, Any], above: str, comments: dict[str, str]) -> Iterator[Value]:
    for name, value in node.items():
        path = f"{above}.{name}".strip(".")
        if any(other.startswith(path + ".") for other in comments):
            if path in comments:
                yield Value(path, ..., comments[path])
            yield from _walk(value, path, comments)
        else:
            yield Value(path, value, comments.get(path, ""))


def table(values: list[Value]) -> str:
    """The list as Markdown."""
    rows = (f"| `{path}` | {_show(default)} | {meaning} |\n" for path, default, meaning in values)
    return "| value | default | meaning |\n|---|---|---|\n" + "".join(rows)


def _show(default: object) -> str:
    return "" if default is ... else f"`{json.dumps(default)}`"


def main() -> None:
    """Write it into the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    README.write_text(before + _BEGIN + table(read_values()) + _END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
