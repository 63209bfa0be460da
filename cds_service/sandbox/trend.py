"""The counts of a chart over time, for drawing only. Judges nothing: the service does, from its own reading."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cds_service.knowledge.model import Knowledge, LabUse

_UNIT = "10*9/L"


@dataclass(frozen=True)
class TrendPoint:
    """One count in 10*9/L. `collected` is the wall-clock time the record gives, its offset set aside."""

    collected: datetime
    value: Decimal
    reported: str
    low: bool


@dataclass(frozen=True)
class TrendSeries:
    """The counts of one analyte in time order, with the limit below which one is low."""

    analyte: str
    limit: Decimal
    points: tuple[TrendPoint, ...]
    unit: str = _UNIT


def read_trend(
    knowledge: Knowledge, observations: Sequence[Mapping[str, Any]], not_used: Collection[str]
) -> tuple[TrendSeries, ...]:
    """Leukocytes and platelets of a patient's Observations. `not_used` are references the service set aside."""
    used = [
        observation
        for observation in observations
        if observation.get("status") in knowledge.accepted_statuses
        and f"Observation/{observation.get('id')}" not in not_used
    ]
    guideline = knowledge.guideline
    limits = {
        "leukocytes": guideline.leukopenia_below.value,
        "platelets": guideline.thrombocytopenia_below.value,
    }
    return tuple(
        TrendSeries(analyte, limit, tuple(sorted(_points(knowledge, used, analyte, limit), key=lambda p: p.collected)))
        for analyte, limit in limits.items()
    )


def _points(
    knowledge: Knowledge, observations: Sequence[Mapping[str, Any]], analyte: str, limit: Decimal
) -> Iterator[TrendPoint]:
    for observation in observations:
        collected = _collected(observation)
        for node in (observation, *observation.get("component", ())):
            if collected is not None and _counts(knowledge, node, analyte):
                value, reported = _value(knowledge, node.get("valueQuantity", {}))
                if value is not None:
                    yield TrendPoint(collected, value, reported, value < limit)


def _counts(knowledge: Knowledge, node: Mapping[str, Any], analyte: str) -> bool:
    codings = node.get("code", {}).get("coding", ())
    found = [knowledge.lab_codes.get((coding.get("system", ""), coding.get("code", ""))) for coding in codings]
    uses = (LabUse.COUNT, LabUse.LOW_CONFIDENCE_COUNT)
    return any(code is not None and code.analyte == analyte and code.use in uses for code in found)


def _collected(observation: Mapping[str, Any]) -> datetime | None:
    period = observation.get("effectivePeriod", {})
    given = ("effectiveDateTime", "effectiveInstant", "issued")
    text = next((observation[name] for name in given if name in observation), period.get("start", ""))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _value(knowledge: Knowledge, quantity: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    """The count in 10*9/L, and as reported; None where number or unit can't be read."""
    unit = str(quantity.get("code") or quantity.get("unit") or "")
    meaning = knowledge.units.look_up(knowledge.units.normalise(unit)) if unit else None
    if meaning is None or meaning.factor is None or "comparator" in quantity:
        return None, ""
    try:
        number = Decimal(str(quantity.get("value")))
    except InvalidOperation:
        return None, ""
    return number * meaning.factor, f"{number} {quantity.get('unit') or unit}"
