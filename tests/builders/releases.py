"""R4 resources said in another release of FHIR, as a server of that release would; its own models check the outcome.

The converse of what the reader does, written on its own. What a release can't say raises, unless nobody reads it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from cds_service.fhir_reading.releases import MODELS, Release

Resource = dict[str, Any]
READ_TYPES = frozenset(
    {"Observation", "Condition", "MedicationRequest", "MedicationStatement", "MedicationAdministration", "Medication"}
    | {"DiagnosticReport", "Specimen", "Patient"}
)
OTHERS = (Release.STU3, Release.R5)
READ = frozenset(
    {"status", "intent", "doNotPerform", "code", "subject", "issued", "note", "interpretation", "specimen", "component"}
    | {"bodySite", "method", "category", "dataAbsentReason", "clinicalStatus", "verificationStatus", "recordedDate"}
    | {"medicationCodeableConcept", "medicationReference", "authoredOn", "dateAsserted", "dosageInstruction", "dosage"}
    | {"effectiveDateTime", "effectivePeriod", "effectiveInstant", "onsetDateTime", "abatementDateTime", "hasMember"}
    | {"valueQuantity", "valueString", "valueInteger", "valueCodeableConcept", "dispenseRequest", "ingredient"}
)


def as_release(resource: Any, release: Release) -> Any:
    """An R4 resource (or a Bundle of some) in a release's shape.

    What isn't a resource of a type that is read, and what R4 itself wouldn't take, stays as odd as it is.
    """
    if not isinstance(resource, dict) or release in (Release.R4, Release.R4B):
        return resource
    if resource.get("resourceType") == "Bundle":
        entries = [entry | {"resource": as_release(entry["resource"], release)} for entry in resource.get("entry", [])]
        return resource | ({"entry": entries} if entries else {})
    if resource.get("resourceType") not in READ_TYPES:
        return resource
    said = dict(resource)
    if isinstance(said.get("contained"), list):
        said["contained"] = [as_release(part, release) for part in said["contained"]]
    convert = _CONVERT.get((release, str(said.get("resourceType"))))
    said = _without_unsayable(convert(said) if convert else said, release)
    assert accepts(said, release) or not accepts(resource, Release.R4), f"no {release} resource: {said}"
    return said


def accepts(resource: Mapping[str, Any], release: Release) -> bool:
    """Whether a release's model takes the whole resource."""
    model = _model(release, str(resource.get("resourceType")))
    if model is None:
        return True
    try:
        model.model_validate({name: part for name, part in resource.items() if name != "contained"})
    except (ValidationError, ValueError, ArithmeticError):
        return False
    return True


@cache
def _model(release: Release, resource_type: str) -> Any:
    try:
        return getattr(import_module(f"{MODELS[release]}.{resource_type.lower()}"), resource_type)
    except (ImportError, AttributeError):
        return None


def _without_unsayable(resource: Resource, release: Release) -> Resource:
    """What R4 has and the release hasn't is left out where nobody reads it."""
    models = _model(Release.R4, str(resource.get("resourceType"))), _model(release, str(resource.get("resourceType")))
    if None in models:
        return resource
    r4, other = models
    lacking = {name for name in resource if name in r4.model_fields and name not in other.model_fields}
    assert not lacking & READ, f"{release} can't say {sorted(lacking & READ)}"
    return {name: part for name, part in resource.items() if name not in lacking}


def _renamed(resource: Resource, **names: str) -> Resource:
    return {names.get(name, name): part for name, part in resource.items()}


def _code_of(concept: Any) -> Any:
    return concept["coding"][0]["code"] if isinstance(concept, dict) and concept.get("coding") else concept


def _one(listed: Any) -> Any:
    return listed[0] if isinstance(listed, list) and len(listed) == 1 else listed


def _stu3_observation(resource: Resource) -> Resource:
    said = _renamed(resource, encounter="context")
    said.setdefault("context", {"reference": "Encounter/synthetic-e1"})
    if "interpretation" in said:
        said["interpretation"] = _one(said["interpretation"])
    if isinstance(said.get("component"), list):
        said["component"] = [
            part | ({"interpretation": _one(part["interpretation"])} if "interpretation" in part else {})
            for part in said["component"]
        ]
    if "note" in said:
        said["comment"] = " ".join(note["text"] for note in said.pop("note"))
    if "hasMember" in said:
        said["related"] = [{"type": "has-member", "target": member} for member in said.pop("hasMember")]
    return said


def _stu3_condition(resource: Resource) -> Resource:
    said = _renamed(resource, encounter="context", recordedDate="assertedDate")
    for name in ("clinicalStatus", "verificationStatus"):
        if name in said:
            said[name] = _code_of(said[name])
    return said


def _stu3_statement(resource: Resource) -> Resource:
    not_taken = resource.get("status") == "not-taken"
    return resource | ({"status": "active", "taken": "n"} if not_taken else {"taken": "unk"})


def _stu3_administration(resource: Resource) -> Resource:
    not_done = resource.get("status") == "not-done"
    return resource | ({"status": "completed", "notGiven": True} if not_done else {"notGiven": False})


def _stu3_request(resource: Resource) -> Resource:
    dosages = [_less(dosage, "doseAndRate") for dosage in resource.get("dosageInstruction", [])]
    said = _renamed(_less(resource, "requester", "category"), encounter="context")
    return said | ({"dosageInstruction": dosages} if dosages else {})


def _stu3_report(resource: Resource) -> Resource:
    return _renamed(_less(resource, "category", "performer"), encounter="context")


def _stu3_specimen(resource: Resource) -> Resource:
    collection = _less(resource.get("collection", {}), "fastingStatusCodeableConcept")
    subject = {"subject": {"reference": "Patient/synthetic-1"}}
    return subject | resource | ({"collection": collection} if collection else {})


def _less(resource: Resource, *unread: str) -> Resource:
    """Without elements that have another form in the other release, and that nobody reads."""
    return {name: part for name, part in resource.items() if name not in unread}


def _r5_observation(resource: Resource) -> Resource:
    return {"instantiatesCanonical": "http://example.org/ObservationDefinition/synthetic"} | resource


def _r5_condition(resource: Resource) -> Resource:
    return {"clinicalStatus": {"coding": [{"code": "unknown"}]}} | resource


def _r5_prescribed(resource: Resource) -> Resource:
    parts = {"medicationCodeableConcept": "concept", "medicationReference": "reference"}
    said = {name: part for name, part in resource.items() if name not in parts}
    return said | {"medication": {new: resource[old] for old, new in parts.items() if old in resource}}


def _r5_request(resource: Resource) -> Resource:
    dosages = [_renamed(dosage, asNeededBoolean="asNeeded") for dosage in resource.get("dosageInstruction", [])]
    return _r5_prescribed(resource) | ({"dosageInstruction": dosages} if dosages else {})


def _r5_specimen(resource: Resource) -> Resource:
    said, collection = _less(resource, "container"), dict(resource.get("collection", {}))
    if "bodySite" in collection:
        collection["bodySite"] = {"concept": collection["bodySite"]}
    return said | ({"collection": collection} if collection else {})


def _r5_statement(resource: Resource) -> Resource:
    said, status = _r5_prescribed(resource), resource.get("status")
    adherence = {"active": "taking", "completed": "stopped", "stopped": "stopped-as-directed"} | {
        "not-taken": "not-taking",
        "on-hold": "on-hold",
    }
    if status in adherence:
        code = {"system": "http://hl7.org/fhir/CodeSystem/medication-statement-adherence", "code": adherence[status]}
        said |= {"status": "recorded", "adherence": {"code": {"coding": [code]}}}
    return said


def _r5_administration(resource: Resource) -> Resource:
    said = _r5_prescribed(resource)
    return _renamed(said, effectiveDateTime="occurenceDateTime", effectivePeriod="occurencePeriod", context="encounter")


def _r5_medication(resource: Resource) -> Resource:
    ingredients = [
        {"item": {"concept": one["itemCodeableConcept"]}} | {k: v for k, v in one.items() if k != "itemCodeableConcept"}
        for one in resource.get("ingredient", [])
    ]
    return resource | ({"ingredient": ingredients} if ingredients else {})


_CONVERT: dict[tuple[Release, str], Callable[[Resource], Resource]] = {
    (Release.STU3, "Observation"): _stu3_observation,
    (Release.STU3, "Condition"): _stu3_condition,
    (Release.STU3, "MedicationRequest"): _stu3_request,
    (Release.STU3, "MedicationStatement"): _stu3_statement,
    (Release.STU3, "MedicationAdministration"): _stu3_administration,
    (Release.STU3, "DiagnosticReport"): _stu3_report,
    (Release.STU3, "Specimen"): _stu3_specimen,
    (Release.R5, "Observation"): _r5_observation,
    (Release.R5, "Condition"): _r5_condition,
    (Release.R5, "MedicationRequest"): _r5_request,
    (Release.R5, "MedicationStatement"): _r5_statement,
    (Release.R5, "MedicationAdministration"): _r5_administration,
    (Release.R5, "Specimen"): _r5_specimen,
    (Release.R5, "Medication"): _r5_medication,
}
