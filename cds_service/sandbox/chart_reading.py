"""A patient's whole chart on the sandbox's FHIR server, read and judged as the service does. No logic of its own."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.hematology.assessment import assess
from cds_service.hematology.verdicts import Assessment
from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.fhir_server.store import FhirStore

_OF_A_PATIENT = ("Observation", "DiagnosticReport", "Condition", "MedicationRequest", "MedicationStatement")
_OF_NOBODY = ("Medication", "Specimen")


def read_chart(store: FhirStore, patient_id: str, knowledge: Knowledge, as_of: datetime) -> Assessment:
    """What the service would make of everything the store holds of a patient."""
    picture = read_clinical_picture(tuple(_entries(store, patient_id)), patient_id, None, as_of, knowledge)
    return assess(picture, knowledge.guideline, as_of)


def _entries(store: FhirStore, patient_id: str) -> Iterator[Entry]:
    patient = store.find("Patient", patient_id)
    if patient is not None:
        yield Entry(patient)
    for resource_type in _OF_A_PATIENT:
        yield from (Entry(one) for one in store.all(resource_type) if _subject(one) == f"Patient/{patient_id}")
    for resource_type in _OF_NOBODY:
        yield from map(Entry, store.all(resource_type))


def _subject(resource: Mapping[str, Any]) -> str:
    return str((resource.get("subject") or {}).get("reference", ""))
