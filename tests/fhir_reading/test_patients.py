"""Patient: age, death, whether the record is in use."""

from datetime import date
from typing import Any

import pytest

from cds_service.hematology.clinical_picture import PatientFacts
from tests.builders.fhir import observation, patient, read


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, PatientFacts()),
        ({"birthDate": "1980-02-29"}, PatientFacts(born=date(1980, 2, 29))),
        ({"birthDate": "2008-06"}, PatientFacts(born=date(2008, 6, 30))),
        ({"birthDate": "2008"}, PatientFacts(born=date(2008, 12, 31))),
        ({"birthDate": "2008-02-30"}, PatientFacts()),
        ({"birthDate": 1980}, PatientFacts()),
        ({"deceasedBoolean": True}, PatientFacts(deceased=True)),
        ({"deceasedBoolean": False}, PatientFacts()),
        ({"deceasedBoolean": "perhaps"}, PatientFacts()),
        ({"deceasedDateTime": "2026-06-15T12:00:00Z"}, PatientFacts(deceased=True)),
        ({"deceasedDateTime": "2026-06-15T12:00:01Z"}, PatientFacts()),
        ({"deceasedDateTime": "2026-06-15"}, PatientFacts(deceased=True)),
        ({"deceasedDateTime": "2026"}, PatientFacts(deceased=True)),
        ({"deceasedDateTime": "2027"}, PatientFacts()),
        ({"deceasedDateTime": "unknown"}, PatientFacts()),
        ({"active": False}, PatientFacts(active=False)),
        ({"active": True}, PatientFacts()),
        ({"active": "off?"}, PatientFacts()),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]}, PatientFacts(replaced=True)),
        ({"link": [{"type": "replaced-by"}]}, PatientFacts(replaced=True)),
        ({"link": [{"type": "replaces"}, "nonsense"]}, PatientFacts()),
    ],
)
def test_what_the_patient_resource_says(elements: dict[str, Any], expected: PatientFacts) -> None:
    picture = read(patient(**elements))
    assert picture.patient == expected
    assert picture.not_available == ()


def test_a_patient_that_was_not_sent_is_named_as_not_available() -> None:
    assert read(observation()).not_available == ("patient",)
    assert read(observation(), not_available=("conditions", "patient")).not_available == ("conditions", "patient")
    assert read({"resourceType": "Patient"}).not_available == ("patient",)


def test_what_could_not_be_had_is_passed_on() -> None:
    picture = read(patient(), not_available=("medications",), counts_incomplete=True)
    assert (picture.not_available, picture.counts_incomplete) == (("medications",), True)
