"""A small part of a resource as a value that can be looked up: what was judged once needn't be judged again.

Room: fhir_reading. Knows no element. Equal numbers spelled differently (2.9 and 2.90, 1 and true) stay apart.
"""

from decimal import Decimal
from typing import TypeAlias

Spelling: TypeAlias = str | tuple[tuple[str, type[str | int | Decimal], str], ...]
_KINDS = (str, int, Decimal)
_LONGEST = 64


def spelling_of(part: object) -> Spelling | None:
    """How a short text, or an object of short texts and numbers, is spelled; None for all else."""
    if isinstance(part, str):
        return part if len(part) <= _LONGEST else None
    if not isinstance(part, dict) or not all(_is_short(value) for value in part.values()):
        return None
    return tuple((name, type(value), str(value)) for name, value in part.items())


def part_spelled(spelling: Spelling) -> object:
    """The part with this spelling."""
    return spelling if isinstance(spelling, str) else {name: kind(text) for name, kind, text in spelling}


def _is_short(value: object) -> bool:
    if type(value) not in _KINDS:
        return False
    return value.bit_length() <= _LONGEST if isinstance(value, int) else len(str(value)) <= _LONGEST
