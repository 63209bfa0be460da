"""FHIR releases through the whole service: one chart said in another release is answered word for word alike.

`CDS_FHIR_RELEASE` decides only what no resource's shape tells.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.fhir_reading.releases import Release
from cds_service.settings import Settings
from fhir_fixtures.hook_requests import RequestStory, request_for
from tests.builders import chart
from tests.builders.releases import OTHERS, as_release

FIXTURES = Path(__file__).parents[2] / "fhir_fixtures"
PATIENTS = sorted((FIXTURES / "r4").glob("*.json"))

LOW: list[dict[str, Any]] = [{"wbc": 3.1, "days": 23}, {"wbc": 2.9, "days": 3}, {"plt": 88, "days": 3}]
CIRRHOSIS: dict[str, Any] = {"condition": "icd10cm K74.60", "days": 600}
METHOTREXATE: dict[str, Any] = {"medication": "rxnorm 6851", "days": 60}
Setting = Literal["auto", "STU3", "R4", "R4B", "R5"]


Sites = Callable[[Setting], FlaskClient]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """Services that differ in the site's setting, each made once."""
    database = f"sqlite:///{tmp_path_factory.mktemp('sites')}/feedback.sqlite3"

    @cache
    def client_of(setting: Setting) -> FlaskClient:
        settings = Settings(auth="off", database_url=database, fhir_release=setting)
        return create_app(settings, clock=lambda: chart.AS_OF).test_client()

    return client_of


def groups(client: FlaskClient, release: Release, notes: list[dict[str, Any]]) -> list[str]:
    """The cause groups that the service answers for a chart said in a release."""
    request = chart.call({key: as_release(part, release) for key, part in chart.prefetch([*LOW, *notes]).items()})
    answer = client.post("/cds-services/cytopenia-review", json=request).get_json()
    found = answer["extension"]["org.cytopenia-cds.assessment"].get("causeGroups", [])
    return sorted(one["group"] for one in found)


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("setting", ["auto", *Release])
def test_what_the_shape_tells_is_read_whatever_is_set(setting: Setting, release: Release, sites: Sites) -> None:
    assert groups(sites(setting), release, [CIRRHOSIS, METHOTREXATE]) == ["drug", "splenic"]


WITHOUT_STATUS = CIRRHOSIS | {"with": {"clinicalStatus": None}}
UNKNOWN = CIRRHOSIS | {"with": {"clinicalStatus": {"coding": [{"code": "unknown"}]}}}


@pytest.mark.parametrize(
    ("setting", "release", "notes", "expected"),
    [
        ("auto", Release.R4, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.STU3, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R5, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R5, [WITHOUT_STATUS, METHOTREXATE], ["drug", "splenic"]),
        ("R5", Release.R5, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R4, [UNKNOWN], []),
        ("R4", Release.R4, [UNKNOWN], []),
        ("R5", Release.R4, [UNKNOWN], ["splenic"]),
    ],
)
def test_r5_says_unknown_where_r4_says_nothing(
    setting: Setting, release: Release, notes: list[dict[str, Any]], expected: list[str], sites: Sites
) -> None:
    assert groups(sites(setting), release, notes) == expected


def answer(client: FlaskClient, patient: Path, release: Release) -> Any:
    story = RequestStory(name=patient.stem, patient=patient.stem, story="", indicator=None)
    request = request_for(story, json.loads(patient.read_text(encoding="utf-8")))
    prefetch = {key: as_release(part, release) for key, part in request["prefetch"].items()}
    return client.post("/cds-services/cytopenia-review", json=request | {"prefetch": prefetch}).get_json()


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda path: str(path.stem))
def test_a_synthetic_patient_is_answered_alike_in_every_release(patient: Path, client: FlaskClient) -> None:
    expected = answer(client, patient, Release.R4)
    assert "cards" in expected
    for release in OTHERS:
        assert answer(client, patient, release) == expected
