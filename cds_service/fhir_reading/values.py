"""What value an Observation (or a component) reports, if any: a Quantity, something else, or only its absence.

Room: fhir_reading. Knows FHIR's value[x], no unit and no analyte.
"""

from dataclasses import dataclass

from cds_service.fhir_reading.codings import display_of
from cds_service.fhir_reading.projection import Json, is_empty, text_at
from cds_service.fhir_reading.quantities import number, number_text
from cds_service.fhir_reading.releases import Validated
from cds_service.hematology.lab_results import SetAsideReason

_OTHER_VALUES = frozenset(
    {
        "valueCodeableConcept",
        "valueString",
        "valueBoolean",
        "valueInteger",
        "valueRange",
        "valueRatio",
        "valueSampledData",
        "valueTime",
        "valueDateTime",
        "valuePeriod",
        "valueAttachment",
        "valueReference",
    }
)


@dataclass(frozen=True)
class Value:
    """`quantity` is told where a Quantity with a value may be read further; `refusal` says why it may not.

    `is_reported`: there is a value, readable or not. `observation` is what it was read from.
    """

    observation: Validated

    quantity: Json | None = None
    refusal: SetAsideReason | None = None
    is_reported: bool = False

    @property
    def text(self) -> str:
        """The value as the record has it."""
        return value_text(self.observation.elements)


def value_of(observation: Validated, raw: Json) -> Value:
    """Judge value[x], dataAbsentReason and narrative by the first rule that fails."""
    names = _names_with_value(observation, raw)
    if names and not is_empty(raw.get("dataAbsentReason")):
        return Value(observation, None, SetAsideReason.VALUE_AND_DATA_ABSENT, True)
    if names:
        refusal = _refusal(names, observation)
        quantity = observation.elements["valueQuantity"] if refusal is None else None
        return Value(observation, quantity, refusal, True)
    if not is_empty(raw.get("dataAbsentReason")):
        return Value(observation, refusal=SetAsideReason.DATA_ABSENT)
    if is_empty(raw.get("component")) and not _quantity_sent(raw) and text_at(raw, "text", "div") is not None:
        return Value(observation, refusal=SetAsideReason.NARRATIVE_ONLY, is_reported=True)
    return Value(observation, refusal=SetAsideReason.VALUE_MISSING)


def _names_with_value(observation: Validated, raw: Json) -> frozenset[str]:
    """The value[x] elements that hold a value. A Quantity without number is none; an element FHIR doesn't know is one
    only where nothing else is there."""
    sent = {
        name for name, part in raw.items() if name.startswith("value") and name[5:6].isupper() and not is_empty(part)
    }
    if "valueQuantity" not in observation.faulty and "value" not in observation.elements.get("valueQuantity", {}):
        sent.discard("valueQuantity")
    return frozenset(sent & (_OTHER_VALUES | {"valueQuantity"}) or sent)


def _refusal(names: frozenset[str], observation: Validated) -> SetAsideReason | None:
    if "valueQuantity" not in names:
        return SetAsideReason.VALUE_NOT_A_QUANTITY
    return SetAsideReason.VALUE_INVALID if len(names) > 1 or "valueQuantity" in observation.faulty else None


def _quantity_sent(raw: Json) -> bool:
    return not is_empty(raw.get("valueQuantity"))


def value_text(observation: Json) -> str:
    """The value as a person would read it in the record; empty where there is none (or none that can be shown)."""
    if "valueQuantity" in observation:
        return quantity_text(observation["valueQuantity"])
    if "valueCodeableConcept" in observation:
        return display_of(observation["valueCodeableConcept"])
    stated = [observation[name] for name in ("valueString", "valueInteger", "valueBoolean") if name in observation]
    return str(stated[0]) if stated else ""


def quantity_text(quantity: Json) -> str:
    """A Quantity as a person would read it."""
    value = number(quantity.get("value"))
    shown = None if value is None else f"{quantity.get('comparator', '')}{number_text(value)}"
    return " ".join(part for part in (shown, quantity.get("unit") or quantity.get("code")) if part)
