"""Keyed hashes: the same again for the same, another for anything else, and nothing readable in them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.hematology.lab_results import (
    Analyte,
    CollectionTime,
    Comparator,
    CountResult,
)
from cds_service.services.pseudonyms import Pseudonyms

KEY = b"a key for tests only, synthetic"
MADE = Pseudonyms(KEY)
SERVER = "https://ehr.example.org/fhir"
WHEN = datetime(2026, 1, 12, 7, 15, 30, tzinfo=UTC)
COUNT = CountResult(
    "Observation/1",
    Analyte.LEUKOCYTES,
    CollectionTime(WHEN.isoformat(), WHEN.date(), WHEN),
    Decimal("2.9"),
    "2.9",
    "G/L",
)
NORTH = CdsClient("https://ehr.example.org", "north")


def test_a_patient_is_one_of_a_client_a_tenant_and_a_server() -> None:
    hashes = [
        MADE.patient(client, server, patient).hash
        for client in (ANYONE, NORTH, CdsClient(NORTH.issuer), CdsClient(None, NORTH.tenant))
        for server in (None, SERVER, "https://ehr.example.org/other")
        for patient in ("1", "2")
    ]
    assert len(set(hashes)) == len(hashes)
    assert MADE.patient(NORTH, SERVER + "/", "1") == MADE.patient(NORTH, SERVER, "1")


def test_parts_do_not_run_into_each_other() -> None:
    assert MADE.patient(CdsClient("a", "b"), None, "c") != MADE.patient(CdsClient("a"), "b", "c")
    assert MADE.user(ANYONE, "Practitioner/1") != MADE.patient(ANYONE, None, "Practitioner/1")


def test_another_key_makes_others_and_says_so() -> None:
    other = Pseudonyms(b"another key of thirty-two bytes.")
    assert other.key_id != MADE.key_id
    assert other.patient(NORTH, None, "1") != MADE.patient(NORTH, None, "1")
    assert KEY.hex()[:8] not in MADE.key_id


def test_a_mark_is_of_value_and_time_to_the_minute_whatever_the_spelling() -> None:
    marks = MADE.marks(MADE.patient(NORTH, None, "1"))
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=-5))).replace(second=59)
    spelled = CollectionTime(elsewhere.isoformat(), elsewhere.date(), elsewhere)
    same = replace(COUNT, reference="Observation/2", value=Decimal("2.900"), reported_unit="/uL", collected=spelled)
    assert marks.count(same) == marks.count(COUNT)


@pytest.mark.parametrize(
    "other",
    [
        replace(COUNT, value=Decimal("2.8")),
        replace(COUNT, comparator=Comparator.BELOW),
        replace(COUNT, analyte=Analyte.PLATELETS),
        replace(COUNT, collected=CollectionTime("2026-01-12", date(2026, 1, 12))),
        replace(COUNT, collected=replace(COUNT.collected, instant=WHEN + timedelta(minutes=1))),
    ],
)
def test_a_mark_of_another_result_is_another(other: CountResult) -> None:
    marks = MADE.marks(MADE.patient(NORTH, None, "1"))
    assert marks.count(other) != marks.count(COUNT)


def test_the_same_result_of_two_patients_has_two_marks() -> None:
    one, two = (MADE.marks(MADE.patient(NORTH, None, patient)) for patient in ("1", "2"))
    assert one.count(COUNT) != two.count(COUNT)
