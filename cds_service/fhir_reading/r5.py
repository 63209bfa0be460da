"""What R5 has otherwise than R4, and as what it is read. Drugs are CodeableReferences there.

Room: fhir_reading. Knows no other release.
"""

from collections.abc import Mapping
from typing import Final

from cds_service.fhir_reading.codings import codes_of
from cds_service.fhir_reading.projection import CONCEPT, Json, ResourceShape, is_empty, members, text_at
from cds_service.fhir_reading.releases import Difference, Validated

_ADHERENCE = {
    "not-taking": "not-taken",
    **dict.fromkeys(("on-hold", "on-hold-as-directed", "on-hold-not-as-directed"), "on-hold"),
    **dict.fromkeys(("stopped", "stopped-as-directed", "stopped-not-as-directed"), "stopped"),
}
"""R5's adherence to the status it has in R4. Whoever takes a drug otherwise than directed takes it."""


def _observation(resource: Json, _: Validated) -> dict[str, object]:
    named = text_at(resource, "bodyStructure", "display")
    return {"bodySite": {"text": named}} if named is not None and is_empty(resource.get("bodySite")) else {}


def _condition(_: Json, sent: Validated) -> dict[str, object]:
    """R5 requires a clinical status: `unknown` stands where R4 has none."""
    return {"clinicalStatus": None} if codes_of(sent.elements.get("clinicalStatus")) == {"unknown"} else {}


def _request(resource: Json, sent: Validated) -> dict[str, object]:
    """`ended` is R5's word above completed and stopped."""
    ended = {"status": "stopped"} if sent.elements.get("status") == "ended" else {}
    return {**_medication_of(resource), **_renamed(resource, {"effectiveDosePeriod": "effectivePeriod"}), **ended}


def _statement(resource: Json, sent: Validated) -> dict[str, object]:
    """`recorded` says nothing of the drug: whether it is taken, adherence and the period tell."""
    status: dict[str, object] = {}
    if sent.elements.get("status") == "recorded":
        adherence = codes_of(sent.elements.get("adherence", {}).get("code"))
        known = (_ADHERENCE[code] for code in _ADHERENCE if code in adherence)
        status = {"status": "unknown" if "adherence" in sent.faulty else next(known, "active")}
    return {**_medication_of(resource), **status}


def _administration(resource: Json, _: Validated) -> dict[str, object]:
    times = {"occurenceDateTime": "effectiveDateTime", "occurencePeriod": "effectivePeriod"}
    return {**_medication_of(resource), **_renamed(resource, times)}


def _medication(resource: Json, _: Validated) -> dict[str, object]:
    ingredients = [
        {**ingredient, **_renamed(ingredient.get("item"), {"concept": "itemCodeableConcept"})}
        for ingredient in members(resource, "ingredient")
    ]
    return {"ingredient": ingredients} if ingredients else {}


def _medication_of(resource: Json) -> dict[str, object]:
    names = {"concept": "medicationCodeableConcept", "reference": "medicationReference"}
    return _renamed(resource.get("medication"), names)


def _renamed(element: object, names: Mapping[str, str]) -> dict[str, object]:
    """The parts of an object under other names."""
    parts = element if isinstance(element, dict) else {}
    return {new: parts[old] for old, new in names.items() if not is_empty(parts.get(old))}


DIFFERENCES: Final = (
    Difference(ResourceShape("Observation", {}), _observation),
    Difference(ResourceShape("Condition", {"clinicalStatus": CONCEPT}), _condition),
    Difference(ResourceShape("MedicationRequest", {"status": None}), _request),
    Difference(ResourceShape("MedicationStatement", {"status": None, "adherence": {"code": CONCEPT}}), _statement),
    Difference(ResourceShape("MedicationAdministration", {}), _administration),
    Difference(ResourceShape("Medication", {}), _medication),
)
