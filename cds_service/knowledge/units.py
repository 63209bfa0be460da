"""The exact table of unit strings seen on counts, and how a unit string is spelled alike before it is looked up.

Room: knowledge. Refuses to know UCUM: what the table doesn't hold is the caller's to ask a library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval, UnitMeaning
from cds_service.knowledge.strict_files import KnowledgeError, Table, read_toml

FILE = "units.toml"
ANNOTATION = re.compile(r"\{[^{}]*\}")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
FOLDED = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00d7": "x", "\u2715": "x", "\u2716": "x", "\u2a2f": "x"})
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
UNITY = "1"
LONGEST = 100


@dataclass(frozen=True)
class UnitTable:
    """Look-up of normalised unit strings: in their own letter case, then case-folded where that is safe."""

    exact: Mapping[str, UnitMeaning]
    folded: Mapping[str, UnitMeaning]
    ambiguous: frozenset[str]
    never_ucum_prefixes: tuple[str, ...]

    def normalise(self, text: str) -> str:
        """The string as the table spells it; an annotation alone is UCUM's unity."""
        return normalise_unit(text)

    def look_up(self, text: str) -> UnitMeaning | None:
        """What a unit string means; None: not in the table (or ambiguous)."""
        unit = normalise_unit(text)
        return self.exact.get(unit) or self.folded.get(unit.casefold())

    def ucum_allowed(self, text: str) -> bool:
        """Whether a UCUM library may be asked about a string that the table doesn't hold."""
        unit = normalise_unit(text)
        return not unit.startswith(self.never_ucum_prefixes) and unit.casefold() not in self.ambiguous


def normalise_unit(text: str) -> str:
    """Drops {annotations}; folds micro and multiplication signs, superscripts, zero-width and odd spaces."""
    if len(text) > LONGEST:
        return text
    unit = INVISIBLE.sub("", text).translate(FOLDED)
    unit = SUPERSCRIPTS.sub(lambda digits: "^" + digits.group().translate(DIGITS), unit)
    bare = unit
    while (shorter := ANNOTATION.sub("", bare)) != bare:
        bare = shorter
    bare = " ".join(bare.split())
    return bare if bare or not unit.strip() else UNITY


def load_units(directory: Path) -> tuple[UnitTable, Approval]:
    """The table of `units.toml`. Raises KnowledgeError on a row that is faulty or contradicts another."""
    file = read_toml(directory, FILE)
    approval = read_approval(file)
    rules, units = file.table("rules"), file.table("units")
    case_only = {normalise_unit(text).casefold() for text in rules.texts("exact_case_only")}
    ambiguous = frozenset(normalise_unit(text).casefold() for text in rules.texts("ambiguous"))
    prefixes = rules.texts("never_ucum_prefixes")
    exact: dict[str, UnitMeaning] = {}
    for row in units.tables("count"):
        _add(exact, row, UnitMeaning(_factor(row)))
    for row in units.tables("not_a_count"):
        _add(exact, row, UnitMeaning(None))
    for table in (rules, units, file):
        table.finish()
    for text in exact:
        if text.casefold() in ambiguous:
            raise KnowledgeError(FILE, "rules.ambiguous", f"'{text}' also has a meaning in the table; keep one")
    return UnitTable(exact, _folded(exact, case_only), ambiguous, prefixes), approval


def _factor(row: Table) -> Decimal:
    if "factor" not in row:
        raise row.error("factor", f"missing for '{row.text('text')}'; a count unit needs its factor to 10*9/L")
    factor = row.decimal("factor")
    if not factor:
        raise row.error("factor", "a factor of zero converts nothing")
    return factor


def _add(exact: dict[str, UnitMeaning], row: Table, meaning: UnitMeaning) -> None:
    text = row.text("text")
    row.ignore("note", "source")
    if "source" not in row:
        raise row.error("source", f"missing for '{text}'; say where the spelling was seen")
    row.finish()
    unit = normalise_unit(text)
    if exact.setdefault(unit, meaning) != meaning:
        raise row.error("text", f"'{text}' stands in the table with two meanings; keep one")


def _folded(exact: Mapping[str, UnitMeaning], case_only: set[str]) -> dict[str, UnitMeaning]:
    """Case-folded spellings, without those that rows of different meaning share."""
    meanings: dict[str, set[UnitMeaning]] = {}
    for text, meaning in exact.items():
        meanings.setdefault(text.casefold(), set()).add(meaning)
    return {text: found.pop() for text, found in meanings.items() if len(found) == 1 and text not in case_only}
