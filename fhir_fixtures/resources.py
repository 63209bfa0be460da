"""A story's people, problems and orders as FHIR R4 resources, and what every resource shares. Knows no count."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from fhir_fixtures.lexicon import Place, coding
from fhir_fixtures.story import Condition, Medication, Patch, Person, Story

Resource = dict[str, Any]

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SYNTHETIC = {"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}


def patched(target: Resource, patch: Patch) -> Resource:
    """`target` with `patch` merged into a copy, as RFC 7396 says: null removes, objects merge, the rest replaces."""
    merged = deepcopy(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = patched(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def resource(place: Place, kind: str, identifier: str, members: Resource, profile: str = "") -> Resource:
    """A resource of type `kind`, marked as test data, with the profile of its place. Empty members are left out."""
    claimed = place.profiles.get(profile or kind)
    meta: Resource = {"profile": [claimed]} if claimed else {}
    meta["security"] = [_SYNTHETIC]
    kept = {key: value for key, value in members.items() if value not in (None, "", [], {})}
    return {"resourceType": kind, "id": identifier, "meta": meta, **kept}


def concept(system: str, code: str, display: str = "") -> Resource:
    """A CodeableConcept of one coding; `system` without scheme is one of terminology.hl7.org."""
    address = system if "/" in system else f"{_TERMINOLOGY}/{system}"
    return {"coding": [{"system": address, "code": code, **({"display": display} if display else {})}]}


def reference(resource_type: str, identifier: str) -> Resource:
    """A relative literal reference."""
    return {"reference": f"{resource_type}/{identifier}"}


def patient(place: Place, identifier: str, person: Person) -> Resource:
    """The Patient; the record number is the id in capitals."""
    number = {
        "use": "usual",
        "type": concept("v2-0203", "MR", "Medical record number"),
        "system": place.identifier_system,
        "value": f"SYNTHETIC-{identifier.upper()}",
    }
    members = {
        "identifier": [number],
        "active": True,
        "name": [{"use": "official", "family": person.family, "given": person.given.split()}],
        "gender": person.gender,
        "birthDate": person.birth_date.isoformat(),
    }
    return patched(resource(place, "Patient", identifier, members), person.patch)


def conditions(story: Story, place: Place) -> list[Resource]:
    """The problem list, numbered in the story's order."""
    return [_condition(story, place, number, entry) for number, entry in enumerate(story.conditions, 1)]


def medications(story: Story, place: Place) -> list[Resource]:
    """The orders, numbered in the story's order."""
    return [_medication(story, place, number, order) for number, order in enumerate(story.medications, 1)]


def _codes(codes: Sequence[str], text: str, local: str | None, house_list: str) -> Resource:
    codings = [coding(code) for code in codes]
    if local:
        codings.append({"system": f"http://hospital.example.org/{house_list}", "code": local, "display": text})
    return {**({"coding": codings} if codings else {}), "text": text}


def _condition(story: Story, place: Place, number: int, entry: Condition) -> Resource:
    is_encounter = entry.category == "encounter-diagnosis"
    refused = entry.verification == "entered-in-error"  # con-5: no clinicalStatus then
    recorded = entry.recorded or entry.onset
    members = {
        "clinicalStatus": concept("condition-clinical", entry.status) if entry.status and not refused else None,
        "verificationStatus": concept("condition-ver-status", entry.verification),
        "category": [concept("condition-category", entry.category)],
        "code": _codes(entry.codes, entry.text, entry.local, "problem-codes"),
        "subject": reference("Patient", story.id),
        "onsetDateTime": entry.onset.isoformat() if entry.onset else None,
        "abatementDateTime": entry.abated.isoformat() if entry.abated else None,
        "recordedDate": recorded.isoformat() if recorded else None,
    }
    profile = "EncounterDiagnosis" if is_encounter else "Condition"
    return resource(place, "Condition", f"{story.id}-condition-{number}", members, profile)


def _medication(story: Story, place: Place, number: int, order: Medication) -> Resource:
    bounds = {"start": order.start, "end": order.end}
    period = {key: value.isoformat() for key, value in bounds.items() if value}
    dosage: Resource = {"text": order.dosage}
    if period:
        dosage["timing"] = {"repeat": {"boundsPeriod": period}}
    members = {
        "status": order.status,
        "intent": "order",
        "category": [concept("medicationrequest-category", "outpatient", "Outpatient")],
        "reportedBoolean": False,
        "medicationCodeableConcept": _codes(order.codes, order.text, order.local, "formulary"),
        "subject": reference("Patient", story.id),
        "authoredOn": order.authored.isoformat(),
        "requester": {"display": place.requester},
        "dosageInstruction": [dosage],
    }
    return resource(place, "MedicationRequest", f"{story.id}-medication-{number}", members)
