"""Knowledge files, read strictly: every key must be expected, of the right type, and stand once.

Room: knowledge. Knows TOML and JSON, refuses to know what any key means.
"""

import json
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class KnowledgeError(ValueError):
    """The knowledge can't be used. The message names file and key, and says what to do."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key


class Table:
    """A table of a knowledge file. Each key is taken with its type; `finish` refuses the keys nobody took."""

    def __init__(self, file: str, values: Mapping[str, Any], key: str = "") -> None:
        self.file = file
        self.key = key
        self._values = values
        self._taken: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def error(self, key: str, problem: str) -> KnowledgeError:
        """An error that names this file and the key's full path."""
        return KnowledgeError(self.file, self.path(key), problem)

    def path(self, key: str) -> str:
        """The key's full path in the file."""
        return ".".join(part for part in (self.key, key) if part)

    def keys_left(self) -> Iterator[str]:
        """The keys nobody took yet, in the file's order."""
        return (key for key in tuple(self._values) if key not in self._taken)

    def text(self, key: str) -> str:
        """A text that isn't empty."""
        value = self._take(key, str, "a text in quotes")
        if not value.strip():
            raise self.error(key, "this text is empty; fill it in or remove the key")
        return value

    def choice(self, key: str, allowed: type[E]) -> E:
        """A member of a StrEnum."""
        value = self.text(key)
        try:
            return allowed(value)
        except ValueError:
            known = ", ".join(str(member) for member in allowed)
            raise self.error(key, f"'{value}' is none of: {known}") from None

    def decimal(self, key: str) -> Decimal:
        """A number written as text, so that no digit is lost."""
        value = self._take(key, str, 'a number in quotes, such as "4.0"')
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self.error(key, f"'{value}' is no number; write it like \"4.0\"") from None
        if not number.is_finite() or number < 0:
            raise self.error(key, f"'{value}' isn't a number of zero or more")
        return number

    def whole(self, key: str) -> int:
        """A whole number."""
        return self._take(key, int, "a whole number without quotes")

    def flag(self, key: str) -> bool:
        """True where the key is there and true, false where it isn't there."""
        return self._take(key, bool, "true or false") if key in self._values else False

    def day(self, key: str) -> date:
        """A date without quotes."""
        return self._take(key, date, "a date without quotes, such as 2026-11-24")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none empty, none twice."""
        values = self._take(key, list, "a list of texts")
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise self.error(key, f"expected texts only, found {reprlib.repr(value)}")
            if values.count(value) > 1:
                raise self.error(key, f"'{value}' stands here twice; keep one")
        return tuple(values)

    def table(self, key: str) -> "Table":
        """A table below this one."""
        return Table(self.file, self._take(key, dict, "a table"), self.path(key))

    def tables(self, key: str) -> tuple["Table", ...]:
        """A list of tables."""
        values = self._take(key, list, "a list of tables")
        for number, value in enumerate(values):
            if not isinstance(value, dict):
                raise self.error(f"{key}[{number}]", f"expected a table, found {reprlib.repr(value)}")
        return tuple(Table(self.file, value, self.path(f"{key}[{number}]")) for number, value in enumerate(values))

    def is_table(self, key: str) -> bool:
        """Whether the key holds a table."""
        return isinstance(self._values.get(key), dict)

    def is_list(self, key: str) -> bool:
        """Whether the key holds a list."""
        return isinstance(self._values.get(key), list)

    def ignore(self, *keys: str) -> None:
        """Takes keys that are for readers of the file only."""
        for key in keys:
            if key in self._values:
                self.text(key)

    def finish(self) -> None:
        """Refuses keys that nobody took."""
        for key in self.keys_left():
            raise self.error(key, "unknown key; correct its spelling or remove it")

    def _take(self, key: str, kind: type[T], expected: str) -> T:
        if key not in self._values:
            raise self.error(key, f"missing; expected {expected}")
        self._taken.add(key)
        value = self._values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"expected {expected}, found {reprlib.repr(value)}")
        return value


def read_toml(directory: Path, name: str) -> Table:
    """A TOML file as a table. Raises KnowledgeError when it is missing or broken, or holds a key twice."""
    text = read_text(directory, name)
    try:
        return Table(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(name, _key_at(text, str(error)), f"can't be read as TOML: {error}") from None


def read_json(directory: Path, name: str) -> Table:
    """A JSON file as a table. Raises KnowledgeError when it is missing or broken, or holds a key twice."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise KnowledgeError(name, key, "this key stands twice in one object; keep one")
            found[key] = value
        return found

    text = read_text(directory, name)
    try:
        value = json.loads(text, object_pairs_hook=members)
    except KnowledgeError:
        raise
    except json.JSONDecodeError as error:
        raise KnowledgeError(name, f"line {error.lineno}", f"can't be read as JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise KnowledgeError(name, "", "can't be read as JSON: a number is too long, or the nesting too deep") from None
    if not isinstance(value, dict):
        raise KnowledgeError(name, "", "expected one JSON object")
    return Table(name, value)


def read_text(directory: Path, name: str) -> str:
    """A file's text. Raises KnowledgeError when it is missing or not UTF-8."""
    try:
        return (directory / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KnowledgeError(name, "", "this file is missing from the knowledge directory") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(name, "", f"this file can't be read ({type(error).__name__}); save it as UTF-8") from None


def file_names(directory: Path, folder: str, suffix: str) -> tuple[str, ...]:
    """The files of a folder with this suffix, sorted. Raises KnowledgeError when there are none."""
    found = tuple(sorted(f"{folder}/{path.name}" for path in (directory / folder).glob(f"*{suffix}")))
    if not found:
        raise KnowledgeError(folder, "", f"no {suffix} file is here; is this a knowledge directory?")
    return found


def _key_at(text: str, message: str) -> str:
    """The key of the line a TOML error names, so that the message can name it too."""
    line = re.search(r"at line (\d+)", message)
    lines = text.splitlines()
    if not line or int(line.group(1)) > len(lines):
        return ""
    key = re.match(r"\s*\[*\s*([\w.\"'-]+)", lines[int(line.group(1)) - 1])
    return key.group(1) if key else f"line {line.group(1)}"
