"""The Patient resource: age, whether alive, whether the record is still in use.

Room: fhir_reading. Knows no age limit.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from cds_service.fhir_reading.dates import read_span, read_time
from cds_service.fhir_reading.projection import DATE, Json, ResourceShape, members, text_at
from cds_service.fhir_reading.releases import validated
from cds_service.hematology.clinical_picture import PatientFacts
from cds_service.hematology.lab_results import CollectionTime

PATIENT = ResourceShape(
    "Patient", {"birthDate": DATE, "deceasedBoolean": None, "deceasedDateTime": DATE, "active": None}
)


class PatientMismatch(Exception):
    """The Patient sent isn't the one the chart was opened for: nothing sent with it may be trusted."""


def own_patient(patients: Iterable[Json], patient_id: str) -> Json | None:
    """The Patient with this id; None where no Patient (with any id) was sent.

    Raises PatientMismatch when only others were sent.
    """
    identified = {text_at(patient, "id"): patient for patient in patients if text_at(patient, "id") is not None}
    if identified and patient_id not in identified:
        raise PatientMismatch("The Patient sent is not the patient of the hook's context.")
    return identified.get(patient_id)


def read_patient(patient: Json, as_of: datetime) -> PatientFacts:
    """What the Patient resource says as of a point in time; a faulty element says nothing."""
    elements = validated(patient, PATIENT).elements
    born = read_span(elements.get("birthDate"))
    links = {text_at(link, "type") for link in members(patient, "link")}
    return PatientFacts(
        born=None if born is None else born[1],
        deceased=elements.get("deceasedBoolean") is True or _died(elements.get("deceasedDateTime"), as_of),
        active=elements.get("active") is not False,
        replaced="replaced-by" in links,
    )


def _died(text: object, as_of: datetime) -> bool:
    """Whether a time of death isn't after `as_of`; of a year or month, the first day counts."""
    time, span = read_time(text), read_span(text)
    if isinstance(time, CollectionTime) and time.instant is not None:
        return time.instant <= as_of
    return span is not None and span[0] <= as_of.astimezone(UTC).date()
