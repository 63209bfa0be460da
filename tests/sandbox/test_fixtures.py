"""The synthetic patients as the sandbox opens with them: all there, all searchable, never stale."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from cds_service.sandbox.fhir_server.search import search
from cds_service.sandbox.fixtures import FixturesMissing, fixture_folder, load_index
from cds_service.sandbox.server import filled_store

INDEX = load_index(fixture_folder())


def newest(today: date) -> str:
    store = filled_store(INDEX, today)
    found = search(store, "Observation", [("patient", "amara-okafor"), ("_sort", "-date")], "http://x", strict=True)
    return str(found.matches[0]["effectiveDateTime"])


def test_every_patient_of_the_index_is_on_the_server() -> None:
    store = filled_store(INDEX, date(2026, 6, 1))
    assert [patient.id for patient in INDEX.patients if store.find("Patient", patient.id) is None] == []


@pytest.mark.parametrize("today", [date(2026, 6, 1), date(2028, 2, 29), date(2041, 12, 31)])
def test_results_stay_as_far_from_today_as_they_were_from_the_reference_day(today: date) -> None:
    authored = date.fromisoformat(newest(INDEX.reference_day)[:10])
    assert today - date.fromisoformat(newest(today)[:10]) == INDEX.reference_day - authored


def test_a_missing_index_or_bundle_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(FixturesMissing, match="index"):
        load_index(tmp_path)
    shutil.copy(fixture_folder() / "index.json", tmp_path)
    with pytest.raises(FixturesMissing, match=r"which isn't there\."):
        load_index(tmp_path)
