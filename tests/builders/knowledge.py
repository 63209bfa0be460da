"""The shipped knowledge, loaded once, and boundary values generated from it: below, at and above each limit."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.loader import SHIPPED, load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.knowledge.units import load_units

LISTS = Path(__file__).parents[2].parent / "shared" / "knowledge"


@cache
def shipped_knowledge() -> Knowledge:
    """The knowledge as shipped."""
    return load_knowledge()


class CountUnit(NamedTuple):
    """A spelling of a count unit and its factor to 10*9/L."""

    spelling: str
    factor: Decimal


@cache
def count_units() -> tuple[CountUnit, ...]:
    """Every spelling of the unit table that converts to a count."""
    table, _ = load_units(SHIPPED)
    return tuple(CountUnit(text, meaning.factor) for text, meaning in table.exact.items() if meaning.factor is not None)


@dataclass(frozen=True)
class BoundaryCount:
    """A count next to a limit, as a laboratory would report it in one unit."""

    analyte: Analyte
    side: str
    """below, at or above; only below is low."""
    reported: Decimal
    unit: str
    converted: Decimal
    """The same count in 10*9/L."""

    @property
    def low(self) -> bool:
        """Whether it is below the limit."""
        return self.side == "below"

    def __str__(self) -> str:
        return f"{self.analyte} {self.reported} {self.unit} ({self.side})"


def boundary_counts() -> Iterator[BoundaryCount]:
    """Counts just below, at and just above the limits of leukopenia and thrombocytopenia, in each accepted unit."""
    guideline = shipped_knowledge().guideline
    limits: dict[Analyte, Criterion] = {
        Analyte.LEUKOCYTES: guideline.leukopenia_below,
        Analyte.PLATELETS: guideline.thrombocytopenia_below,
    }
    for analyte, limit in limits.items():
        for unit in count_units():
            for side, step in (("below", Decimal("-0.0001")), ("at", Decimal(0)), ("above", Decimal("0.0001"))):
                converted = limit.value + step
                yield BoundaryCount(analyte, side, converted / unit.factor, unit.spelling, converted)


def listed_rows(name: str) -> list[dict[str, str]]:
    """Rows of one of the raw lists that the knowledge was made from; skips the test where they aren't at hand."""
    rows = raw_list(name)
    if not rows:
        pytest.skip(f"the raw list {name} is not beside the project")
    return rows


def raw_list(name: str) -> list[dict[str, str]]:
    """Rows of one of the raw lists; none where it isn't at hand."""
    path = LISTS / name
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
