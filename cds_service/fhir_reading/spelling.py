"""A small part of a resource as a value that can be looked up: what was judged once needn't be judged again.

Room: fhir_reading. Knows no element. Equal numbers spelled differently (2.9 and 2.90, 1 and true) stay apart.
"""

from decimal import Decimal
from typing import TypeAlias

Spelling: TypeAlias = str | tuple[tuple[str, type[str | int | Decimal], str], ...]
_LONGEST = 64


def spelling_of(part: object) -> Spelling | None:
    """How a short text, or an object of short texts and numbers, is spelled; None for all else."""
    if isinstance(part, str):
        return part if len(part) <= _LONGEST else None
    if not isinstance(part, dict):
        return None
    spelled = []
    for name, value in part.items():
        if not _is_short(value):
            return None
        spelled.append((name, type(value), str(value)))
    return tuple(spelled)


def part_spelled(spelling: Spelling) -> object:
    """The part with this spelling."""
    return spelling if isinstance(spelling, str) else {name: kind(text) for name, kind, text in spelling}


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    if isinstance(value, Decimal):
        return len(value.as_tuple().digits) <= _LONGEST
    return type(value) is int and value.bit_length() <= _LONGEST
