"""A site's TOML file, read strictly into a model. Knows no member of any; a message names it and repeats no value."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Contents = TypeVar("Contents", bound=BaseModel)


class SiteFileInvalid(ValueError):
    """The file can't be used; the message is one line: what is wrong, at which member. Tables are counted from 1."""


def read_site_file(path: Path, contents: type[Contents]) -> Contents:
    """What the file holds.

    Raises:
        SiteFileInvalid: it can't be read, isn't TOML, or a member is unknown, missing or wrong.
    """
    try:
        return contents.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        raise SiteFileInvalid("the file can't be read; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SiteFileInvalid(f"not TOML{_place(str(error))}") from None
    except ValidationError as error:
        raise SiteFileInvalid(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    message = {
        "extra_forbidden": "not a member known here; correct its spelling or remove it",
        "missing": "missing",
    }.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{place.removeprefix('.')}: {message}"


def _place(message: str) -> str:
    """Where a TOML error is, without what stands there."""
    _, found, place = message.rpartition("(at ")
    return f" ({found and 'at '}{place}" if found else ""
