"""A synthetic chart from short notes: what a sentence of `tests/spec` says becomes FHIR R4 resources and one hook call.

Times are told in days (or hours) before `AS_OF`, so that nothing depends on today.
"""

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PATIENT = "synthetic-1"
HOOK_INSTANCE = "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11"

CODES = {
    "wbc": ("http://loinc.org", "6690-2", "Leukocytes [#/volume] in Blood by Automated count"),
    "plt": ("http://loinc.org", "777-3", "Platelets [#/volume] in Blood by Automated count"),
    "anc": ("http://loinc.org", "751-8", "Neutrophils [#/volume] in Blood by Automated count"),
    "blasts": ("http://loinc.org", "26446-5", "Blasts/100 leukocytes in Blood"),
    "hb": ("http://loinc.org", "718-7", "Hemoglobin [Mass/volume] in Blood"),
    "clumps": ("http://loinc.org", "7796-6", "Platelet clump [Presence] in Blood by Light microscopy"),
    "wbc-estimate": ("http://loinc.org", "49498-9", "Leukocytes [#/volume] in Blood by Estimate"),
    "wbc-corrected": ("http://loinc.org", "33256-9", "Leukocytes corrected for nucleated erythrocytes"),
}
SYSTEMS = {
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd10": "http://hl7.org/fhir/sid/icd-10",
    "sct": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "atc": "http://www.whocc.no/atc",
    "local": "urn:oid:1.2.3.4.5",
}
DEFAULT_UNITS = {"blasts": "%", "hb": "g/dL"}

Resource = dict[str, Any]


def moment(days: float = 0, hours: float = 0, as_of: datetime = AS_OF) -> str:
    """The instant that many days and hours before `as_of`, as FHIR writes it."""
    return (as_of - timedelta(days=days, hours=hours)).isoformat().replace("+00:00", "Z")


def day(days: float, as_of: datetime = AS_OF) -> str:
    """The calendar date that many days before `as_of`."""
    return (as_of - timedelta(days=days)).date().isoformat()


def observation(note: Mapping[str, Any], number: int) -> Resource:
    """One Observation from a note such as `{wbc: 2.9, days: 3}`; `with` replaces elements (null drops them)."""
    kind = next(key for key in note if key in CODES)
    system, code, display = CODES[kind]
    resource: Resource = {
        "resourceType": "Observation",
        "id": note.get("id", f"o{number}"),
        "status": note.get("status", "final"),
        "code": {"coding": [{"system": system, "code": code, "display": display}]},
        "subject": {"reference": f"Patient/{note.get('patient', PATIENT)}"},
        "effectiveDateTime": note.get("date") or moment(note.get("days", 0), note.get("hours", 0)),
    }
    unit = note.get("unit", DEFAULT_UNITS.get(kind, "10*3/uL"))
    value = note[kind]
    if isinstance(value, str):
        resource["valueCodeableConcept"] = {"text": value}
    elif value is not None:
        resource["valueQuantity"] = {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": note.get("code", unit),
        }
        if "comparator" in note:
            resource["valueQuantity"]["comparator"] = note["comparator"]
    if "note" in note:
        resource["note"] = [{"text": note["note"]}]
    return _overridden(resource, note)


def condition(note: Mapping[str, Any], number: int) -> Resource:
    """One Condition from a note such as `{condition: icd10cm K74.60, days: 400}` (days: onset)."""
    system, code = note["condition"].split(" ", 1)
    resource: Resource = {
        "resourceType": "Condition",
        "id": note.get("id", f"c{number}"),
        "clinicalStatus": _status("condition-clinical", note.get("clinical", "active")),
        "verificationStatus": _status("condition-ver-status", note.get("verification", "confirmed")),
        "code": {"coding": [{"system": SYSTEMS[system], "code": code}], "text": note.get("text", "as recorded")},
        "subject": {"reference": f"Patient/{note.get('patient', PATIENT)}"},
    }
    if "days" in note:
        resource["onsetDateTime"] = day(note["days"])
    if "recorded" in note:
        resource["recordedDate"] = day(note["recorded"])
    return _overridden(resource, note)


_DATED = {"MedicationRequest": "authoredOn", "MedicationStatement": "dateAsserted"}


def medication(note: Mapping[str, Any], number: int) -> Resource:
    """One MedicationRequest from a note such as `{medication: rxnorm 6851, days: 60}` (days: authoredOn).

    `type` makes it a MedicationStatement (days: dateAsserted) or a MedicationAdministration (days: when it was given).
    """
    system, code = note["medication"].split(" ", 1)
    concept: Resource = {"text": code} if system == "text" else {"coding": [{"system": SYSTEMS[system], "code": code}]}
    resource_type = note.get("type", "MedicationRequest")
    resource: Resource = {
        "resourceType": resource_type,
        "id": note.get("id", f"m{number}"),
        "status": note.get("status", "active"),
        "medicationCodeableConcept": concept,
        "subject": {"reference": f"Patient/{note.get('patient', PATIENT)}"},
    }
    if resource_type == "MedicationRequest":
        resource["intent"] = note.get("intent", "order")
    if "days" in note:
        resource[_DATED.get(resource_type, "effectiveDateTime")] = day(note["days"])
    return _overridden(resource, note)


def resources(notes: Iterable[Mapping[str, Any]]) -> list[Resource]:
    """All resources a chart's notes describe; a note `{resource: {...}}` is a resource as it stands."""
    made = []
    for number, note in zip(itertools.count(1), notes, strict=False):
        if "resource" in note:
            made.append(note["resource"])
        elif "condition" in note:
            made.append(condition(note, number))
        elif "medication" in note:
            made.append(medication(note, number))
        else:
            made.append(observation(note, number))
    return made


def searchset(found: Iterable[Resource], **members: Any) -> Resource:
    """A searchset Bundle of these resources."""
    entries = [
        {"fullUrl": f"https://ehr.example.org/fhir/{r['resourceType']}/{r.get('id', 'x')}", "resource": r}
        for r in found
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries), **members}
    return bundle | ({"entry": entries} if entries else {})


def patient(**elements: Any) -> Resource:
    """A synthetic adult."""
    return {"resourceType": "Patient", "id": PATIENT, "birthDate": "1970-05-05", **elements}


def prefetch(notes: Iterable[Mapping[str, Any]], **patient_elements: Any) -> Resource:
    """The prefetch an EHR would send for a chart: each key the resources its template asks for."""
    found = resources(notes)
    return {
        "patient": patient(**patient_elements),
        "counts": searchset(r for r in found if not r["resourceType"].startswith(("Condition", "Medication"))),
        "companions": searchset([]),
        "conditions": searchset(r for r in found if r["resourceType"] == "Condition"),
        "medications": searchset(r for r in found if r["resourceType"].startswith("Medication")),
    }


def call(prefetched: Mapping[str, Any], **members: Any) -> Resource:
    """One patient-view call with this prefetch."""
    return {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/synthetic-p1", "patientId": PATIENT},
        "prefetch": dict(prefetched),
        **members,
    }


def _status(kind: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{kind}", "code": code}]}


def _overridden(resource: Resource, note: Mapping[str, Any]) -> Resource:
    merged = resource | dict(note.get("with", {}))
    return {key: value for key, value in merged.items() if value is not None}
