"""The codes, units, places and table rows that stories name by a short key. Knows no patient and no resource."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fhir_fixtures.story import Patch

FOLDER = Path(__file__).parent / "vocabulary"
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True)
class Analyte:
    """A test: its code; its usual unit; its reference range in that unit (counts: in 10*9/L); who asks for it."""

    system: str
    code: str
    display: str
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    prefetch: str | None = None


@dataclass(frozen=True)
class Unit:
    """A unit as a laboratory writes it; `factor` times the value is 10*9/L, for units of counts."""

    text: str
    code: str | None = None
    factor: float | None = None


@dataclass(frozen=True)
class Place:
    """Where the record was kept: offset of its clock, who signs, and the shapes it follows."""

    offset: str
    laboratory: str
    requester: str
    identifier_system: str
    count_unit: str
    panel: str
    panel_with_differential: str
    profiles: dict[str, str]


@cache
def table(name: str) -> dict[str, Any]:
    """The file vocabulary/`name`.yaml."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def _named(name: str, key: str) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return table(name)[key]
    except KeyError:
        raise KeyError(f"vocabulary/{name}.yaml has no {key!r}") from None


def analyte(key: str) -> Analyte:
    """The test with this key; KeyError if there is none."""
    return Analyte(**_named("analytes", key))


def codes_asked_for(prefetch: str) -> frozenset[str]:
    """The codes of the tests that the service's prefetch key `prefetch` asks for."""
    return frozenset(test["code"] for test in table("analytes").values() if test.get("prefetch") == prefetch)


def unit(key: str) -> Unit:
    """The unit with this key; KeyError if there is none."""
    return Unit(**_named("units", key))


def place(key: str) -> Place:
    """The place with this key; KeyError if there is none."""
    return Place(**_named("places", key))


def row(key: str) -> str:
    """The sentence that says which row of the criteria `key` stands for."""
    sentence: str = _named("rows", key)
    return sentence


def coding(code: str) -> Patch:
    """The FHIR Coding of a condition, drug or specimen code of vocabulary/codes.yaml."""
    for system in table("codes").values():
        if code in system["codes"]:
            return {"system": system["system"], "code": code, "display": system["codes"][code]}
    raise KeyError(f"code {code} is not in vocabulary/codes.yaml")
