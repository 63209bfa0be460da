"""A request as an EHR sends it: US-Core-like Observations of about 1.4 kB, most of them beside the point.

Two in ten are leukocytes and platelets, the rest other tests, vital signs of two components and blood-count panels.
Everything is synthetic, and the same for the same arguments.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

PATIENT_ID = "synthetic-1"
HOOK_INSTANCE = "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11"

OTHERS = (
    ("2345-7", "Glucose", "mg/dL", 95),
    ("2160-0", "Creatinine", "mg/dL", 0.9),
    ("718-7", "Hemoglobin", "g/dL", 13.1),
    ("2951-2", "Sodium", "mmol/L", 139),
    ("2823-3", "Potassium", "mmol/L", 4.1),
    ("17861-6", "Calcium", "mg/dL", 9.4),
)
COUNTS = (("6690-2", "Leukocytes", "10*3/uL", 2.9), ("777-3", "Platelets", "10*3/uL", 88))
"""Both low: a finding."""
NORMAL_COUNTS = (("6690-2", "Leukocytes", "10*3/uL", 6.4), ("777-3", "Platelets", "10*3/uL", 231))
_PANEL = ("58410-2", "CBC panel - Blood by Automated count")
_PRESSURE = ("85354-9", "Blood pressure panel with all children optional")
_LONGEST_HISTORY = timedelta(days=358)

Resource = dict[str, Any]


def observation(number: int, code: str, name: str, unit: str, value: float, when: datetime) -> Resource:
    """One laboratory Observation with the usual furniture."""
    ucum = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return _frame(number, "laboratory", (code, name), when) | {
        "valueQuantity": {"value": value, **ucum},
        "interpretation": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N"}]}
        ],
        "referenceRange": [{"low": {"value": 4.0, **ucum}, "high": {"value": 11.0, **ucum}, "text": "4.0-11.0"}],
    }


def request_body(observations: int, now: datetime | None = None, findings: bool = True) -> bytes:
    """A patient-view call with this many Observations, two in ten of them counts that decide.

    Args:
        observations: how many; up to four are all counts.
        now: what the times of results are relative to; by default the clock's time.
        findings: both counts low throughout, so that a card is due; else both normal, so that none is.
    """
    return call_with(history(observations, now or datetime.now(UTC), COUNTS if findings else NORMAL_COUNTS))


def history(number: int, now: datetime, counts: tuple[tuple[str, str, str, float], ...] = COUNTS) -> list[Resource]:
    """So many Observations, newest first: one a day, or more where they would not fit into a year."""
    apart = min(timedelta(days=1), _LONGEST_HISTORY / max(number, 1))
    return [_one(index, number, counts, now - timedelta(days=2) - apart * index) for index in range(number)]


def call_with(observations: list[Resource]) -> bytes:
    """The patient-view call whose prefetch holds these Observations and nothing else but the patient."""
    entries = [{"fullUrl": f"https://ehr.example.org/fhir/Observation/{o['id']}", "resource": o} for o in observations]
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    return json.dumps(
        {
            "hook": "patient-view",
            "hookInstance": HOOK_INSTANCE,
            "context": {"userId": "Practitioner/p1", "patientId": PATIENT_ID},
            "prefetch": {
                "patient": {"resourceType": "Patient", "id": PATIENT_ID, "birthDate": "1970-05-05"},
                "counts": {**nothing, "total": len(entries), "entry": entries},
                "companions": nothing,
                "conditions": nothing,
                "medications": nothing,
            },
        }
    ).encode()


def _one(index: int, number: int, counts: tuple[tuple[str, str, str, float], ...], when: datetime) -> Resource:
    if number <= 4 or index % 10 < 2:
        code, name, unit, value = counts[index % 2]
        return observation(index, code, name, unit, round(value + index % 7 / 10, 1), when)
    if make := _PANELS.get(index % 20):
        return make(index, when)
    code, name, unit, value = OTHERS[index % len(OTHERS)]
    return observation(index, code, name, unit, value, when)


def _blood_count_by_members(number: int, when: datetime) -> Resource:
    """A panel whose results are Observations of their own, as most laboratories send it."""
    members = [{"reference": f"Observation/synthetic-obs-{number - back}", "display": "Member"} for back in (5, 4)]
    return _frame(number, "laboratory", _PANEL, when) | {"hasMember": members}


def _differential_in_components(number: int, when: datetime) -> Resource:
    parts = [("770-8", "Neutrophils/Leukocytes", "%", 58.0), ("736-9", "Lymphocytes/Leukocytes", "%", 30.0)]
    return _frame(number, "laboratory", _PANEL, when) | {"component": [_component(*part) for part in parts]}


def _pressure(number: int, when: datetime) -> Resource:
    parts = [("8480-6", "Systolic blood pressure", "mm[Hg]", 121.0), ("8462-4", "Diastolic", "mm[Hg]", 78.0)]
    return _frame(number, "vital-signs", _PRESSURE, when) | {"component": [_component(*part) for part in parts]}


_PANELS: dict[int, Callable[[int, datetime], Resource]] = {
    5: _blood_count_by_members,
    8: _pressure,
    15: _differential_in_components,
    18: _pressure,
}
"""By the place in every twenty Observations."""


def _component(code: str, name: str, unit: str, value: float) -> Resource:
    return {
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}], "text": name},
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def _frame(number: int, category: str, code: tuple[str, str], when: datetime) -> Resource:
    """What every Observation has, whatever its value."""
    profile = "us-core-observation-lab" if category == "laboratory" else "us-core-blood-pressure"
    category_system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": f"synthetic-obs-{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": when.isoformat(),
            "profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/{profile}"],
        },
        "identifier": [{"system": "https://lab.example.org/results", "value": f"synthetic-{number:06d}"}],
        "status": "final",
        "category": [
            {"coding": [{"system": category_system, "code": category, "display": category.replace("-", " ").title()}]}
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": code[0], "display": code[1]}],
            "text": code[1],
        },
        "subject": {"reference": f"Patient/{PATIENT_ID}", "display": "Synthetic Patient"},
        "effectiveDateTime": when.isoformat(),
        "issued": when.isoformat(),
        "performer": [{"reference": "Organization/lab", "display": "Synthetic Laboratory"}],
    }
