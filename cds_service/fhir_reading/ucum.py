"""Units beyond the table, by a UCUM library: only what is plainly a number per volume is a count.

Room: fhir_reading. The library alone can't decide: to it radians, percents and international units per litre are
numbers per volume too, an exponent of eight digits is four minutes of arithmetic, and it reads `/a.b` as `/(a.b)`.
"""

import re
import threading
from decimal import Decimal
from functools import cache
from typing import Any

from cds_service.knowledge.model import UnitMeaning

_LONGEST = 32
_READABLE = re.compile(r"(?!.*(?:[*^A-Za-z\]][+-]?\d{3}|\d{10}))[!-~]+")
_NUMBER_PER_VOLUME = re.compile(r"(?:(?:10[*^][+-]?\d{1,2}|1)?/[A-Za-z]+3?|10[*^][+-]?\d{1,2}\.[A-Za-z]+-[13])")
"""A bare factor (`3/uL`) or a power without exponent (`10*/mL`) is UCUM too, but what a truncation leaves."""
_DEGREES = {"_10": 0}
"""Dimension in lengths of the only parts a count's unit may have."""
_DEGREES |= {f"{prefix}liter": 3 for prefix in ("", "deci", "centi", "milli", "micro", "nano", "pico", "femto")}
_DEGREES |= {f"{prefix}meter": 1 for prefix in ("", "deci", "centi", "milli", "micro")}
_PER_VOLUME = -3
_LOCK = threading.Lock()


def ask_ucum(unit: str) -> UnitMeaning | None:
    """What UCUM says of a normalised unit string; None: it isn't UCUM (or nothing that a laboratory would write)."""
    if len(unit) > _LONGEST or not _READABLE.fullmatch(unit):
        return None
    with _LOCK:
        try:
            quantity = _registry().from_ucum(unit)
            return UnitMeaning(_factor(unit, quantity))
        except Exception:  # whatever the library trips on isn't understood
            return None


@cache
def _registry() -> Any:  # noqa: ANN401 - pint's registry is built at run time
    from ucumvert import PintUcumRegistry  # type: ignore[import-untyped]  # noqa: PLC0415 - takes most of a second, and most calls never need it

    return PintUcumRegistry()


def _factor(unit: str, quantity: Any) -> Decimal | None:  # noqa: ANN401 - a pint Quantity
    """The factor to 10*9/L where every part is a power of ten or a volume, and the whole a number per volume."""
    parts = dict(quantity.unit_items())
    if not _NUMBER_PER_VOLUME.fullmatch(unit) or not parts.keys() <= _DEGREES.keys():
        return None
    if sum(exponent * _DEGREES[name] for name, exponent in parts.items()) != _PER_VOLUME:
        return None
    # The library reckons in binary; a laboratory's factors have few digits, so twelve give the decimal exactly.
    return Decimal(f"{quantity.to('1 / nanoliter').magnitude:.12g}")
