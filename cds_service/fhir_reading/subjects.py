"""Whose a resource is: provably this patient's, or not used.

Room: fhir_reading. Follows references, fetches nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import Json, text_at
from cds_service.hematology.lab_results import SetAsideReason

_PATIENT = re.compile(r"(?:(?P<base>https?://.+)/)?Patient/(?P<id>[^/?#]+)(?:/_history/[^/?#]+)?")
_RESOURCE = re.compile(r"(?P<base>https?://.+)/[A-Za-z]+/[^/?#]+(?:/_history/[^/?#]+)?")


@dataclass(frozen=True)
class Subjects:
    """Tells this patient's resources from others'.

    `fhir_server` is the request's; `patients` maps a Bundle's urn:uuid to the id of the Patient that it holds.
    """

    patient_id: str
    fhir_server: str | None = None
    patients: dict[str, str] = field(default_factory=dict)
    _own: str | None = field(init=False)
    """The usual reference to the patient, if the id can stand in one."""

    def __post_init__(self) -> None:
        usual = f"Patient/{self.patient_id}"
        object.__setattr__(self, "_own", usual if _PATIENT.fullmatch(usual) else None)

    def refusal(self, subject: object, full_url: str | None) -> SetAsideReason | None:
        """Why a resource with this subject (or patient) reference isn't used; None: it is the patient's."""
        reference = text_at(subject, "reference")
        if reference is None:
            named = text_at(subject, "identifier", "value") is not None
            return SetAsideReason.SUBJECT_NOT_RESOLVABLE if named else SetAsideReason.SUBJECT_MISSING
        if reference == self._own:
            return None
        patient_id = self._patient_id(reference, full_url)
        if patient_id is None:
            return SetAsideReason.SUBJECT_NOT_RESOLVABLE
        return None if patient_id == self.patient_id else SetAsideReason.OTHER_PATIENT

    def _patient_id(self, reference: str, full_url: str | None) -> str | None:
        if reference.startswith("urn:"):
            return self.patients.get(reference)
        match = _PATIENT.fullmatch(reference)
        if match is None:
            return None
        base = match["base"]
        if base is not None and _canonical(base) != self._own_base(full_url):
            return None
        return match["id"]

    def _own_base(self, full_url: str | None) -> str | None:
        if self.fhir_server is not None:
            return _canonical(self.fhir_server)
        match = _RESOURCE.fullmatch(full_url) if full_url is not None else None
        return _canonical(match["base"]) if match is not None else None


def read_subjects(entries: Iterable[Entry], patient_id: str, fhir_server: str | None) -> Subjects:
    """Subjects of a call, with the urn:uuid names its Bundles give to Patients."""
    patients: dict[str, str] = {}
    for entry in entries:
        if entry.resource_type == "Patient" and entry.full_url is not None:
            named = text_at(entry.resource, "id")
            if named is not None and entry.full_url.startswith("urn:"):
                patients[entry.full_url] = named
    return Subjects(patient_id, fhir_server, patients)


def answers_for_patient(entries: Iterable[Entry], patient_id: str, fhir_server: str | None) -> bool:
    """Whether the answer to a search for a patient's resources is about that patient.

    It isn't when another patient's are among them: who ignores what was asked for may have left out as well. Nor when
    none of them can be told to be the patient's.
    """
    entries = tuple(entries)
    subjects = read_subjects(entries, patient_id, fhir_server)
    matches = (entry for entry in entries if not entry.included and entry.resource_type != "Patient")
    refusals = {subjects.refusal(subject_of(entry.resource), entry.full_url) for entry in matches}
    return SetAsideReason.OTHER_PATIENT not in refusals and (not refusals or None in refusals)


def _canonical(base: str) -> str:
    """Scheme and host in lower case, no slash at the end."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return base
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def subject_of(resource: Json) -> object:
    """The element that names the patient: `subject`, else `patient`."""
    return resource["subject"] if resource.get("subject") is not None else resource.get("patient")
