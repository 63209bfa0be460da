"""Criteria 1, "Whose": only what is provably this patient's is used; another patient's resource never."""

import pytest

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.patients import PatientMismatch
from tests.builders.fhir import OWN, PATIENT, concept, observation, outcome, patient, read, resource

HERE = "https://ehr.example.org/fhir"
URN = "urn:uuid:6b8a0365-5022-403b-a5a5-8d8680d701ef"
THERE = f"https://elsewhere.example.org/fhir/Patient/{PATIENT}"


@pytest.mark.parametrize(
    ("subject", "server", "full_url", "expected"),
    [
        (OWN, None, None, "2.9"),
        (OWN, HERE, None, "2.9"),
        ({"reference": f"Patient/{PATIENT}/_history/3"}, None, None, "2.9"),
        ({"reference": f" Patient/{PATIENT} "}, None, None, "2.9"),
        ({"reference": f"Patient/{PATIENT}", "display": 5}, None, None, "2.9"),
        ({"reference": f"{HERE}/Patient/{PATIENT}"}, HERE, None, "2.9"),
        ({"reference": f"{HERE}/Patient/{PATIENT}/_history/3"}, HERE + "/", None, "2.9"),
        ({"reference": f"https://EHR.example.org/fhir/Patient/{PATIENT}"}, HERE, None, "2.9"),
        ({"reference": f"{HERE}/Patient/{PATIENT}"}, None, f"{HERE}/Observation/o1", "2.9"),
        ({"reference": f"{HERE}/Patient/{PATIENT}"}, None, f"{HERE}/Observation/o1/_history/2", "2.9"),
        ({"reference": f"{HERE}/Patient/{PATIENT}"}, None, None, "subject-not-resolvable"),
        ({"reference": f"{HERE}/Patient/{PATIENT}"}, None, URN, "subject-not-resolvable"),
        ({"reference": THERE}, HERE, None, "subject-not-resolvable"),
        ({"reference": THERE}, HERE, "https://elsewhere.example.org/fhir/Observation/o1", "subject-not-resolvable"),
        ({"reference": f"{HERE}/Patient/other"}, HERE, None, "other-patient"),
        ({"reference": f"http://ehr.example.org/fhir/Patient/{PATIENT}"}, HERE, None, "subject-not-resolvable"),
        ({"reference": f"http://[/Patient/{PATIENT}"}, HERE, None, "subject-not-resolvable"),
        ({"reference": "Patient/other"}, None, None, "other-patient"),
        ({"reference": f"Patient/{PATIENT}0"}, None, None, "other-patient"),
        ({"reference": f"Patient/{PATIENT.upper()}"}, None, None, "other-patient"),
        ({"reference": f"patient/{PATIENT}"}, None, None, "subject-not-resolvable"),
        ({"reference": f"Group/{PATIENT}"}, None, None, "subject-not-resolvable"),
        ({"reference": PATIENT}, None, None, "subject-not-resolvable"),
        ({"reference": "#p"}, None, None, "subject-not-resolvable"),
        ({"reference": URN}, None, None, "subject-not-resolvable"),
        ({"identifier": {"system": "urn:mrn", "value": "1"}}, None, None, "subject-not-resolvable"),
        ({"display": "A name"}, None, None, "subject-missing"),
        ({}, None, None, "subject-missing"),
        ("Patient/" + PATIENT, None, None, "subject-missing"),
        ([OWN], None, None, "subject-missing"),
        (None, None, None, "subject-missing"),
    ],
)
def test_whose_a_result_is(subject: object, server: str | None, full_url: str | None, expected: str) -> None:
    assert outcome(read(Entry(observation(subject=subject), full_url), fhir_server=server)) == expected


def test_a_urn_uuid_is_the_patient_that_its_bundle_holds() -> None:
    sent = observation(subject={"reference": URN})
    assert outcome(read(Entry(patient(), URN), Entry(sent))) == "2.9"
    other = Entry({"resourceType": "Patient", "id": "other"}, URN)
    picture = read(Entry(patient()), other, Entry(sent))
    assert outcome(picture) == "other-patient"
    assert picture.other_patients == 2
    nameless = Entry({"resourceType": "Patient"}, URN)
    assert outcome(read(nameless, Entry(sent))) == "subject-not-resolvable"


def test_what_is_another_patients_is_counted_and_nothing_of_it_is_kept() -> None:
    foreign = {"reference": "Patient/other"}
    picture = read(
        observation(subject=foreign),
        resource("Condition", subject=foreign, code=concept("C92.0", system="http://hl7.org/fhir/sid/icd-10-cm")),
        resource("MedicationRequest", subject=foreign, status="active", intent="order"),
        resource("Encounter", subject=foreign),
    )
    assert picture.other_patients == 3
    assert (picture.counts, picture.conditions, picture.medications) == ((), (), ())
    (aside,) = picture.set_aside
    assert (aside.reported, aside.collected, aside.unreadable) == ("", None, False)


def test_a_patient_with_another_id_refuses_the_whole_call() -> None:
    with pytest.raises(PatientMismatch):
        read({"resourceType": "Patient", "id": "other"}, observation())


def test_the_later_version_of_one_id_is_the_one() -> None:
    old = observation(value="2.1", meta={"lastUpdated": "2026-06-02T10:00:00Z"})
    new = observation(value="3.1", meta={"lastUpdated": "2026-06-02T10:00:00.5Z"})
    assert outcome(read(old, new)) == outcome(read(new, old)) == "3.1"
    withdrawn = new | {"status": "entered-in-error"}
    assert outcome(read(withdrawn, old)) == "entered-in-error"
    moved = new | {"subject": {"reference": "Patient/other"}}
    assert outcome(read(old, moved)) == "other-patient"
    assert outcome(read(observation(value="5"), old)) == "2.1"


def test_versions_are_told_apart_by_number_where_no_time_is_given() -> None:
    old, new = observation(value="2.1", meta={"versionId": "9"}), observation(value="3.1", meta={"versionId": "10"})
    assert outcome(read(old, new)) == outcome(read(new, old)) == "3.1"


def test_versions_that_cannot_be_told_apart_are_both_kept() -> None:
    assert outcome(read(observation(value="2.1"), observation(value="5.1"), observation(value="2.1"))) == "2.1, 5.1"
    assert outcome(read(observation(), observation())) == "2.9"
    assert outcome(read(observation(id=None), observation(id=None))) == "2.9, 2.9"
