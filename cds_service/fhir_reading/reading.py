"""The door of this room: the entries of a call in, what they say of one patient out. One entry spoils no other.

Room: fhir_reading. Knows which resource is read by which module; judges nothing, fetches nothing, reads no clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cds_service.fhir_reading.alike import Alike
from cds_service.fhir_reading.alike_results import AlikeReader, Read
from cds_service.fhir_reading.clump_text import clump_words
from cds_service.fhir_reading.codings import identify
from cds_service.fhir_reading.companions import read_clumping, read_companion
from cds_service.fhir_reading.conditions import ReadCondition, read_condition
from cds_service.fhir_reading.counts import read_counts
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.medications import RESOURCE_TYPES as MEDICATION_TYPES
from cds_service.fhir_reading.medications import Drugs, ReadMedication, read_drugs, read_medication
from cds_service.fhir_reading.observations import Reported, ResultRules, examine, results_in
from cds_service.fhir_reading.patients import own_patient, read_patient
from cds_service.fhir_reading.projection import text_at
from cds_service.fhir_reading.quantities import CountReader
from cds_service.fhir_reading.release_differences import in_r4_shape
from cds_service.fhir_reading.releases import Release, spellings_forgotten
from cds_service.fhir_reading.reports import contained_results
from cds_service.fhir_reading.specimens import read_specimens
from cds_service.fhir_reading.subjects import Subjects, read_subjects, subject_of
from cds_service.fhir_reading.versions import without_repeats
from cds_service.hematology.clinical_picture import ClinicalPicture, PatientFacts
from cds_service.hematology.lab_results import (
    ClumpingReport,
    CompanionResult,
    CountResult,
    SetAside,
    SetAsideReason,
)
from cds_service.knowledge.model import Knowledge

_OF_A_PATIENT = MEDICATION_TYPES | {"Observation", "DiagnosticReport", "Condition"}


@dataclass
class _Results:
    """What the laboratory resources hold, while they are read."""

    counts: list[CountResult] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    companions: list[CompanionResult] = field(default_factory=list)
    clumping: list[ClumpingReport] = field(default_factory=list)

    def add(self, read: Read) -> None:
        """Put what was read beside its like."""
        match read:
            case CountResult():
                self.counts.append(read)
            case CompanionResult():
                self.companions.append(read)
            case SetAside():
                self.set_aside.append(read)
            case ClumpingReport():
                self.clumping.append(read)


@spellings_forgotten()
def read_clinical_picture(  # noqa: PLR0913 - the door takes all a call knows
    entries: Sequence[Entry],
    patient_id: str,
    fhir_server: str | None,
    as_of: datetime,
    knowledge: Knowledge,
    not_available: tuple[str, ...] = (),
    counts_incomplete: bool = False,
    release: Release | None = None,
) -> ClinicalPicture:
    """Everything the entries of a call say of one patient, and everything that can't be used, with its reason.

    Args:
        entries: the resources of all prefetch keys and searches together, in any order, repeats allowed.
        patient_id: the hook context's patient.
        fhir_server: the request's FHIR server base, the only one whose absolute references are resolved.
        as_of: the timezone-aware point in time of the evaluation.
        knowledge: codes, units, words and causes.
        not_available: kinds of data that could not be had.
        counts_incomplete: not every page of the counts was read.
        release: the site's, for resources whose shape doesn't tell theirs.

    Raises:
        PatientMismatch: a Patient was sent, and it is another one.
    """
    typed = [entry for entry in entries if entry.resource_type is not None]
    current = in_r4_shape(without_repeats(typed), release)
    single = [entry for entry in current if not isinstance(entry, Alike)]
    subjects = read_subjects(typed, patient_id, fhir_server)
    patients = [entry.resource for entry in single if entry.resource_type == "Patient"]
    patient = own_patient(patients, patient_id)
    rules = _rules(single, subjects, knowledge, as_of)
    results = _read_results(current, rules, knowledge)
    whose = [(entry, _refusal(entry, subjects)) for entry in single]
    own = [entry for entry, refusal in whose if refusal is None]
    conditions = list(_read_conditions(own, knowledge, as_of))
    medications = list(_read_medications(own, read_drugs(single, knowledge.causes), as_of))
    others = [entry for entry, refusal in whose if refusal is SetAsideReason.OTHER_PATIENT]
    return ClinicalPicture(
        counts=tuple(results.counts),
        companions=tuple(results.companions),
        clumping=tuple(results.clumping),
        set_aside=tuple(results.set_aside),
        conditions=tuple(condition.recorded for condition in conditions),
        medications=tuple(medication.recorded for medication in medications),
        patient=PatientFacts() if patient is None else read_patient(patient, as_of),
        not_available=_with_patient(not_available, patient is None),
        counts_incomplete=counts_incomplete,
        unmapped_conditions=sum(not condition.mapped for condition in conditions),
        unmapped_medications=sum(not medication.mapped for medication in medications),
        other_patients=len(others) + sum(text_at(other, "id") not in (None, patient_id) for other in patients),
    )


def _rules(
    entries: Sequence[Entry],
    subjects: Subjects,
    knowledge: Knowledge,
    as_of: datetime,
) -> ResultRules:
    return ResultRules(
        subjects=subjects,
        specimens=read_specimens(entries, knowledge.words),
        accepted_statuses=knowledge.accepted_statuses,
        as_of=as_of,
        counts=CountReader(knowledge.units, knowledge.plausibility),
        clumps=clump_words(knowledge.words),
    )


def _read_results(entries: Iterable[Entry], rules: ResultRules, knowledge: Knowledge) -> _Results:
    results, alikes = _Results(), AlikeReader(rules)
    for entry in entries:
        one = alikes.read(entry) if isinstance(entry, Alike) else None
        if one is not None:
            results.add(one)
            continue
        found = [read for reported in _reported(entry, knowledge) for read in _read(reported, rules)]
        if entry.likeness is not None:
            alikes.learn(entry.likeness, found)
        for read in found:
            results.add(read)
    return results


def _read(reported: Reported, rules: ResultRules) -> Iterator[Read]:
    """What one result says, of each thing that its codes name."""
    examined = examine(reported, rules)
    yield from read_counts(examined, rules)
    companion = read_companion(examined, rules.clumps)
    if companion is not None:
        yield companion
    clumping = read_clumping(examined, rules.clumps) if reported.identity.clump_test else None
    if clumping is not None:
        yield clumping


def _reported(entry: Entry, knowledge: Knowledge) -> Iterator[Reported]:
    """Every single result of an entry that the assessment has a use for."""
    resource, reference = entry.resource, _reference(entry)
    if entry.resource_type == "Observation":
        identity = identify(resource.get("code"), knowledge.lab_codes)
        subjects = (subject_of(resource),)
        whole = Reported(resource, reference, entry.full_url, identity, subjects, container=resource)
        yield from results_in(whole, knowledge.lab_codes)
    if resource.get("contained") is not None:
        yield from contained_results(entry, reference, knowledge.lab_codes)


def _read_conditions(entries: Iterable[Entry], knowledge: Knowledge, as_of: datetime) -> Iterator[ReadCondition]:
    for entry in entries:
        if entry.resource_type == "Condition":
            condition = read_condition(entry.resource, _reference(entry), knowledge.causes, as_of)
            if condition is not None:
                yield condition


def _read_medications(entries: Iterable[Entry], drugs: Drugs, as_of: datetime) -> Iterator[ReadMedication]:
    for entry in entries:
        if entry.resource_type in MEDICATION_TYPES:
            medication = read_medication(entry.resource, _reference(entry), drugs, as_of)
            if medication is not None:
                yield medication


def _refusal(entry: Entry, subjects: Subjects) -> SetAsideReason | None:
    """Why an entry isn't read as this patient's; resources that have no patient aren't."""
    if entry.resource_type not in _OF_A_PATIENT:
        return SetAsideReason.SUBJECT_MISSING
    return subjects.refusal(subject_of(entry.resource), entry.full_url)


def _reference(entry: Entry) -> str:
    kind, resource_id = str(entry.resource_type), entry.resource_id
    return f"{kind}/{resource_id}" if resource_id is not None else entry.full_url or kind


def _with_patient(not_available: tuple[str, ...], missing: bool) -> tuple[str, ...]:
    return (*not_available, "patient") if missing and "patient" not in not_available else not_available
