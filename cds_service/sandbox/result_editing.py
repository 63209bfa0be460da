"""Results of one patient, changed or added as a laboratory would send them. Knows no page and judges nothing.

A number is stored as a quantity, another text as text, nothing as an absent value: what the service makes of each is
for the integrator to see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.fhir_server.store import FhirStore, Resource, new_id

UCUM = "http://unitsofmeasure.org"
STATUSES = ("final", "preliminary", "amended", "corrected", "registered", "cancelled", "entered-in-error", "unknown")
_SHOWN = 200
_VALUES = ("valueQuantity", "valueString", "dataAbsentReason")
_JUDGED_OF_OLD = ("interpretation",)
"""Told by the laboratory of the value that is replaced."""


class EditRefused(Exception):
    """A result can't be stored as asked; the message says why, for the person who typed it."""


@dataclass(frozen=True)
class EditableResult:
    """One Observation as the editor shows it; `when` as FHIR writes it."""

    id: str
    name: str
    value: str
    unit: str
    when: str
    status: str


def editable_results(store: FhirStore, patient_id: str) -> tuple[EditableResult, ...]:
    """The patient's results that have one value, newest first; at most 200."""
    subject = {"reference": f"Patient/{patient_id}"}
    mine = [one for one in store.all("Observation") if _subject(one) == subject["reference"] and "component" not in one]
    shown = sorted((_shown(one) for one in mine), key=lambda one: (one.when, one.name), reverse=True)
    return tuple(shown[:_SHOWN])


def addable(knowledge: Knowledge) -> Mapping[str, str]:
    """The tests that can be added, counts first: code to name, one of each kind."""
    kinds: dict[object, tuple[str, str]] = {}
    for code in sorted(knowledge.lab_codes.values(), key=lambda one: one.analyte is None):
        kind = code.analyte or code.companion
        if kind is not None:
            kinds.setdefault(kind, (f"{code.system}|{code.code}", code.display))
    return dict(kinds.values())


def change_result(store: FhirStore, patient_id: str, result_id: str, form: Mapping[str, str]) -> None:
    """Store another value, unit, date or status of a result of this patient.

    Raises:
        EditRefused: not a result of this patient, or a status that isn't one.
    """
    found = store.find("Observation", result_id)
    if found is None or _subject(found) != f"Patient/{patient_id}":
        raise EditRefused("This result is no longer in the chart.")
    if form.get("delete"):
        store.delete("Observation", result_id)
        return
    value, unit = form.get("value", "").strip(), form.get("unit", "").strip()
    before = _shown(found)
    kept = {key: member for key, member in found.items() if key not in _VALUES}
    if (value, unit) == (before.value, before.unit):
        kept = dict(found)
    else:
        kept = {key: member for key, member in kept.items() if key not in _JUDGED_OF_OLD} | _valued(value, unit)
    store.put(kept | _dated(form))


def add_result(store: FhirStore, patient_id: str, form: Mapping[str, str], knowledge: Knowledge) -> None:
    """Store a new result of this patient.

    Raises:
        EditRefused: a test or status that isn't offered.
    """
    test = form.get("test", "")
    names = addable(knowledge)
    if test not in names:
        raise EditRefused("Please choose a test from the list.")
    system, _, code = test.rpartition("|")
    observation: dict[str, object] = {
        "resourceType": "Observation",
        "id": new_id(),
        "code": {"coding": [{"system": system, "code": code, "display": names[test]}]},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    store.put(observation | _valued(form.get("value", "").strip(), form.get("unit", "").strip()) | _dated(form))


def _dated(form: Mapping[str, str]) -> Resource:
    status, when = form.get("status", ""), form.get("when", "").strip()
    if status not in STATUSES:
        raise EditRefused("Please choose a status from the list.")
    told: Resource = {"status": status}
    return told | ({"effectiveDateTime": when} if when else {})


def _valued(value: str, unit: str) -> Resource:
    if not value:
        coding = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}
        return {"dataAbsentReason": {"coding": [coding]}}
    number = _number(value)
    if number is None:
        return {"valueString": f"{value} {unit}".strip()}
    quantity: Resource = {"value": number}
    quantity |= {"comparator": value[: -len(value.lstrip("<>="))]} if value[0] in "<>" else {}
    quantity |= {"unit": unit, "system": UCUM, "code": unit} if unit else {}
    return {"valueQuantity": quantity}


def _number(text: str) -> int | float | None:
    """As JSON writes it, after a comparator; None for any other text."""
    try:
        number = orjson.loads(text.lstrip("<>="))
    except orjson.JSONDecodeError:
        return None
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _shown(observation: Mapping[str, Any]) -> EditableResult:
    code = observation.get("code") or {}
    codings = code.get("coding") or [{}]
    quantity = observation.get("valueQuantity") or {}
    value = f"{quantity.get('comparator', '')}{quantity['value']}" if "value" in quantity else ""
    return EditableResult(
        id=str(observation["id"]),
        name=str(code.get("text") or codings[0].get("display") or codings[0].get("code") or "Unnamed test"),
        value=value or str(observation.get("valueString", "")),
        unit=str(quantity.get("unit") or quantity.get("code") or ""),
        when=str(observation.get("effectiveDateTime") or observation.get("issued") or ""),
        status=str(observation.get("status", "")),
    )


def _subject(observation: Mapping[str, Any]) -> str:
    return str((observation.get("subject") or {}).get("reference", ""))
