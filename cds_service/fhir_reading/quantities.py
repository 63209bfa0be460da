"""Counts in 10*9/L from FHIR Quantities: converted right or set aside, never guessed from the magnitude.

Room: fhir_reading. The exact table of spellings is the knowledge's; UCUM beyond it is a library's (`ucum`).
"""

from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from cds_service.fhir_reading.projection import Json
from cds_service.fhir_reading.ucum import ask_ucum
from cds_service.hematology.lab_results import Analyte, Comparator, SetAsideReason
from cds_service.knowledge.model import Plausibility, UnitMeaning, Units

_MOST_DIGITS = 1000
_EXACT = Context(prec=2 * _MOST_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
_COMPARATORS = {None: Comparator.EXACT} | {
    comparator.value: comparator for comparator in Comparator if comparator != "="
}
_UCUM_SYSTEMS = {None, "http://unitsofmeasure.org", "http://unitsofmeasure.org/", "urn:oid:2.16.840.1.113883.6.8"}
_NUMBERS = (int, float, Decimal)
_LIBRARY_CALLS = 100
"""How many strange unit strings of one call are given to the library; thousands would eat the time of a call."""


@dataclass(frozen=True)
class Count:
    """A quantity understood as a count. `value` is in 10*9/L, unrounded; `reported` is the record's own number."""

    value: Decimal
    reported: Decimal
    unit: str
    comparator: Comparator
    converted: bool


def number(value: object) -> Decimal | None:
    """A JSON number as decimal, digit for digit; None for anything else."""
    if not isinstance(value, _NUMBERS) or isinstance(value, bool):
        return None
    decimal = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not decimal.is_finite():
        return None
    is_short = len(str(decimal)) <= _MOST_DIGITS or len(decimal.as_tuple().digits) <= _MOST_DIGITS
    return decimal if is_short else None


def number_text(value: Decimal) -> str:
    """The digits as reported, without an exponent where that stays readable."""
    return f"{value:f}" if abs(value.adjusted()) < 30 else str(value)


def comparator_of(quantity: Json) -> Comparator | None:
    """How the number bounds the value; None: a comparator that the criteria don't know."""
    return _COMPARATORS.get(quantity.get("comparator"))


@dataclass
class CountReader:
    """Reads the Quantities of one call; remembers what each unit string means."""

    units: Units
    plausibility: Plausibility
    _known: dict[str, UnitMeaning | None] = field(default_factory=dict)
    _library_calls: int = 0

    def read(self, quantity: Json, analyte: Analyte) -> Count | SetAsideReason:
        """The count, or the first rule that it fails: number, comparator, unit, plausibility."""
        reported = number(quantity.get("value"))
        if reported is None:
            return SetAsideReason.VALUE_INVALID
        comparator = comparator_of(quantity)
        if comparator is None:
            return SetAsideReason.COMPARATOR_UNSUPPORTED
        factor = self._factor(quantity)
        if isinstance(factor, SetAsideReason):
            return factor
        value = _EXACT.multiply(reported, factor)
        if not self._is_plausible(value, analyte):
            return SetAsideReason.VALUE_IMPLAUSIBLE
        unit = quantity.get("unit") or quantity["code"]
        return Count(value if value else abs(value), reported, unit, comparator, converted=factor != 1)

    def _factor(self, quantity: Json) -> Decimal | SetAsideReason:
        """The factor to 10*9/L. The UCUM code decides; a text that is understood must agree; without code it decides.

        A code of another system is no UCUM code: it is a second text, which the table may or may not know.
        """
        text, code = quantity.get("unit"), quantity.get("code")
        if text is None and code is None:
            return SetAsideReason.UNIT_MISSING
        said = self.meaning(text) if text is not None else None
        coded = None if code is None else self._coded(code, quantity.get("system"))
        if code is not None and coded is None and quantity.get("system") in _UCUM_SYSTEMS:
            return SetAsideReason.UNIT_NOT_UNDERSTOOD
        if said is not None and coded is not None and said != coded:
            return SetAsideReason.UNIT_CONTRADICTION
        meaning = coded or said
        if meaning is None:
            return SetAsideReason.UNIT_NOT_UNDERSTOOD
        return meaning.factor if meaning.factor is not None else SetAsideReason.UNIT_NOT_A_COUNT

    def _coded(self, code: str, system: str | None) -> UnitMeaning | None:
        return self.meaning(code) if system in _UCUM_SYSTEMS else self.units.look_up(self.units.normalise(code))

    def meaning(self, text: str) -> UnitMeaning | None:
        """What a unit string means; None: nothing that is understood."""
        if text not in self._known:
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> UnitMeaning | None:
        unit = self.units.normalise(text)
        known = self.units.look_up(unit)
        if known is not None or not self.units.ucum_allowed(unit) or self._library_calls >= _LIBRARY_CALLS:
            return known
        self._library_calls += 1
        return ask_ucum(unit)

    def _is_plausible(self, value: Decimal, analyte: Analyte) -> bool:
        at_most = self.plausibility.at_most.get(analyte)
        if value < 0 or (at_most is not None and value > at_most):
            return False
        return value == 0 or value >= self.plausibility.above_zero_at_least
