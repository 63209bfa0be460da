"""A request as an EHR sends it: US-Core-like Observations of about 1.4 kB, most of them beside the point."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

OTHERS = (
    ("2345-7", "Glucose", "mg/dL", 95),
    ("2160-0", "Creatinine", "mg/dL", 0.9),
    ("718-7", "Hemoglobin", "g/dL", 13.1),
)
COUNTS = (("6690-2", "Leukocytes", "10*3/uL", 2.9), ("777-3", "Platelets", "10*3/uL", 88))


def observation(number: int, code: str, name: str, unit: str, value: float, when: datetime) -> dict[str, Any]:
    """One laboratory Observation with the usual furniture."""
    ucum = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"synthetic-obs-{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": when.isoformat(),
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
        },
        "identifier": [{"system": "https://lab.example.org/results", "value": f"synthetic-{number:06d}"}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}], "text": name},
        "subject": {"reference": "Patient/synthetic-1", "display": "Synthetic Patient"},
        "effectiveDateTime": when.isoformat(),
        "issued": when.isoformat(),
        "performer": [{"reference": "Organization/lab", "display": "Synthetic Laboratory"}],
        "valueQuantity": {"value": value, **ucum},
        "interpretation": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N"}]}
        ],
        "referenceRange": [{"low": {"value": 4.0, **ucum}, "high": {"value": 11.0, **ucum}, "text": "4.0-11.0"}],
    }


def request_body(observations: int, now: datetime | None = None) -> bytes:
    """A patient-view call with this many Observations, one in ten of them a count that decides."""
    now = now or datetime.now(UTC)
    made = []
    for number in range(observations):
        kinds = COUNTS if number % 10 < 2 or observations <= 4 else OTHERS
        code, name, unit, value = kinds[number % len(kinds)]
        made.append(observation(number, code, name, unit, value, now - timedelta(days=2 + number)))
    entries = [{"fullUrl": f"https://ehr.example.org/fhir/Observation/{o['id']}", "resource": o} for o in made]
    return json.dumps(
        {
            "hook": "patient-view",
            "hookInstance": "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11",
            "context": {"userId": "Practitioner/p1", "patientId": "synthetic-1"},
            "prefetch": {
                "patient": {"resourceType": "Patient", "id": "synthetic-1", "birthDate": "1970-05-05"},
                "counts": {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries},
                "companions": {"resourceType": "Bundle", "type": "searchset", "total": 0},
                "conditions": {"resourceType": "Bundle", "type": "searchset", "total": 0},
                "medications": {"resourceType": "Bundle", "type": "searchset", "total": 0},
            },
        }
    ).encode()
