"""Results read by what was read of one that is spelled like them; what is their own passes the same rules as ever.

Room: fhir_reading. Knows no rule: what fails one is read as if it were like no other.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from msgspec import MsgspecError, Raw, Struct
from msgspec.json import Decoder

from cds_service.fhir_reading.alike import NOT_SENT, Alike
from cds_service.fhir_reading.companions import like_companion
from cds_service.fhir_reading.counts import like_count
from cds_service.fhir_reading.dates import not_in_future, read_time
from cds_service.fhir_reading.observations import OBSERVATION, ResultRules
from cds_service.fhir_reading.projection import Json, objects_in
from cds_service.fhir_reading.releases import read_element
from cds_service.fhir_reading.specimens import specimen_key
from cds_service.hematology.lab_results import (
    ClumpingReport,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    CountResult,
    SetAside,
    SetAsideReason,
)

Read: TypeAlias = CountResult | SetAside | CompanionResult | ClumpingReport
_Usable: TypeAlias = CountResult | CompanionResult


class AlikeReader:
    """Reads the results of one call that are like another."""

    def __init__(self, rules: ResultRules) -> None:
        self._rules = rules
        self._first: dict[object, _Usable] = {}
        self._units: dict[tuple[str | None, ...], Json | None] = {}
        self._times: dict[str, CollectionTime | SetAsideReason] = {}

    def learn(self, likeness: object, read: Sequence[Read]) -> None:
        """What was read of the first of its like: it tells about the others if it is one usable result."""
        one = read[0] if len(read) == 1 else None
        if isinstance(one, CountResult) or (isinstance(one, CompanionResult) and one.kind is not CompanionKind.BLASTS):
            self._first[likeness] = one

    def read(self, alike: Alike) -> CountResult | CompanionResult | None:
        """The result; None: all of its elements are to be read. Raises whatever the decoder raises."""
        first, own = self._first.get(alike.likeness), alike.own
        if first is None:
            return None
        collected = not_in_future(self._time(own.effectiveDateTime), self._rules.as_of)
        specimen = None if own.specimen is NOT_SENT else alike.decode(own.specimen)
        quantity = self._quantity(alike)
        if quantity is None or isinstance(collected, SetAsideReason):
            return None
        if specimen is not None and self._rules.specimens.specimen_is_not_blood(specimen, {}):
            return None
        reference = f"Observation/{alike.resource_id}"
        if isinstance(first, CompanionResult):
            return like_companion(first, reference, collected, quantity)
        count = self._rules.counts.read(quantity, first.analyte)
        if isinstance(count, SetAsideReason):
            return None
        key = specimen_key(next(objects_in(specimen), None), reference)
        return like_count(first, reference, collected, count, self._instant(own.issued), key)

    def _time(self, text: str | None) -> CollectionTime | SetAsideReason:
        text = text.strip() if text is not None else ""
        if text not in self._times:
            self._times[text] = read_time(text)
        return self._times[text]

    def _instant(self, text: str | None) -> datetime | None:
        time = self._time(text)
        return time.instant if isinstance(time, CollectionTime) else None

    def _quantity(self, alike: Alike) -> Json | None:
        """The sound part of the quantity, if it has a number: validated once for each unit."""
        try:
            sent = _QUANTITY.decode(alike.own.valueQuantity)
        except MsgspecError:
            return None
        told = (sent.comparator, sent.unit, sent.system, sent.code)
        spelled = bytes(sent.value)
        quotes = 2 + 4 * (len(told) - told.count(None))
        if not _PLAIN_NUMBER.fullmatch(spelled) or bytes(alike.own.valueQuantity).count(b'"') != quotes:
            return None
        if told not in self._units:
            self._units[told] = _sound(alike.decode(alike.own.valueQuantity))
        unit = self._units[told]
        return None if unit is None else {**unit, "value": Decimal(spelled.decode())}


class _Quantity(Struct, forbid_unknown_fields=True):
    """A Quantity whose number is as it was sent."""

    value: Raw
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


_QUANTITY = Decoder(_Quantity)
_PLAIN_NUMBER = re.compile(rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
"""A number that every release of FHIR takes, whatever its unit."""


def _sound(sent: object) -> Json | None:
    part, is_sound = read_element(sent, OBSERVATION, "valueQuantity")
    return part if is_sound and isinstance(part, dict) else None
