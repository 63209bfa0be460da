"""The rule as one would plainly write it over FHIR models, shared by the yardsticks that judge.

It knows one code system, one unit and final results; no companions, causes, severity, specimens, clumping or feedback,
and no reason for what it leaves aside. Its card is right for the charts measured here, and for few others.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Card = dict[str, Any]

FIXED_CARD: Card = {
    "uuid": "6c1d1c2e-8f0a-4c86-a8a3-3d1f0e5e7b11",
    "summary": "A fixed card",
    "indicator": "info",
    "source": {"label": "yardstick"},
}
"""The answer of yardsticks that don't judge."""

_LEUKOCYTES, _PLATELETS = "leukocytes", "platelets"
_CODES = {"6690-2": _LEUKOCYTES, "26464-8": _LEUKOCYTES, "777-3": _PLATELETS, "26515-7": _PLATELETS}
_LIMITS = {_LEUKOCYTES: 4, _PLATELETS: 150}
_STATUSES = {"final", "amended", "corrected"}
_UNITS = {"10*3/uL", "10*9/L"}
_CURRENT, _LOOKBACK, _WEEK = timedelta(days=90), timedelta(days=365), timedelta(days=7)


@dataclass(frozen=True)
class _Count:
    kind: str
    value: float
    when: datetime

    @property
    def low(self) -> bool:
        return self.value < _LIMITS[self.kind]


def cards_about(observations: Iterable[Any], patient_id: str, as_of: datetime) -> list[Card]:
    """The cards for one patient's Observations (models of fhir.resources): one, or none."""
    counts = sorted(_counts(observations, patient_id, as_of), key=lambda count: count.when, reverse=True)
    leukocytes = _low_run([count for count in counts if count.kind == _LEUKOCYTES], as_of)
    platelets = _low_run([count for count in counts if count.kind == _PLATELETS], as_of)
    if any(abs(one.when - other.when) <= _WEEK for one in leukocytes for other in platelets):
        return [_card("Leukocytes and platelets low", [*leukocytes, *platelets])]
    if leukocytes and leukocytes[0].when - leukocytes[-1].when >= _WEEK:
        return [_card("Leukocytes low on several days", leukocytes)]
    return []


def _counts(observations: Iterable[Any], patient_id: str, as_of: datetime) -> Iterable[_Count]:
    for observation in observations:
        codes = [coding.code for coding in observation.code.coding or () if coding.system == "http://loinc.org"]
        kind = next((_CODES[code] for code in codes if code in _CODES), None)
        quantity, when = observation.valueQuantity, observation.effectiveDateTime
        if kind is None or quantity is None or quantity.code not in _UNITS or not isinstance(when, datetime):
            continue
        mine = observation.subject is not None and observation.subject.reference == f"Patient/{patient_id}"
        if mine and observation.status in _STATUSES and as_of - when <= _LOOKBACK:
            yield _Count(kind, float(quantity.value), when)


def _low_run(newest_first: Sequence[_Count], as_of: datetime) -> list[_Count]:
    """The unbroken low counts up to the newest; none if the newest isn't current or isn't low."""
    if not newest_first or as_of - newest_first[0].when > _CURRENT:
        return []
    first_normal = next((place for place, count in enumerate(newest_first) if not count.low), len(newest_first))
    return list(newest_first[:first_normal])


def _card(finding: str, counts: Sequence[_Count]) -> Card:
    newest = {count.kind: count for count in reversed(counts)}
    numbers = ", ".join(f"{kind} {count.value:g}" for kind, count in newest.items())
    rows = "\n".join(f"| {count.when:%Y-%m-%d %H:%M} | {count.kind} | {count.value:g} |" for count in counts[:10])
    return {
        "uuid": str(uuid.uuid4()),
        "summary": f"{finding}: {numbers} x 10*9/L",
        "indicator": "warning",
        "source": {"label": "yardstick"},
        "detail": f"| date | count | 10*9/L |\n|---|---|---|\n{rows}",
    }
