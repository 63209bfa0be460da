"""What real laboratory data looks like (`fhir_fixtures/traps.yaml`), through the whole service."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from fhir_fixtures.traps import PATIENT, Trap, load_traps
from tests.builders import chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.conversation import SERVICE

FILES = Path(__file__).parents[2] / "fhir_fixtures" / "traps"
TRAPS = load_traps()
ASSESSMENT = "org.cytopenia-cds.assessment"


def _request(name: str) -> bytes:
    """The call with this trap's prefetch, byte for byte as the file has it: its numbers keep their digits."""
    frame = chart.call({}, context={"userId": "Practitioner/example-clinician", "patientId": PATIENT})
    if TRAPS[name].fhir_server:
        frame["fhirServer"] = TRAPS[name].fhir_server
    return json.dumps(frame).replace('"prefetch": {}', f'"prefetch": {(FILES / f"{name}.json").read_text()}').encode()


def _client_of_site(trap: Trap, usual: FlaskClient, folder: Path) -> FlaskClient:
    if trap.accepted is None:
        return usual
    database = f"sqlite:///{folder}/feedback.sqlite3"
    settings = Settings(auth="off", database_url=database, accepted_statuses=trap.accepted)
    return create_app(settings, clock=lambda: chart.AS_OF).test_client()


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name: str, client: FlaskClient, tmp_path: Path) -> None:
    trap = TRAPS[name]
    site = _client_of_site(trap, client, tmp_path)
    answer = site.post(SERVICE, data=_request(name), content_type="application/json")
    assert answer.status_code == trap.expect.status, answer.get_data(as_text=True)
    if answer.status_code == 200:
        body = json.loads(answer.get_data(), parse_float=str, parse_int=str)
        assert_response_conforms(answer.get_json(), PATIENT)
        _check(body, trap)


def _check(body: Mapping[str, Any], trap: Trap) -> None:
    expect, assessment = trap.expect, body["extension"][ASSESSMENT]
    findings = {finding["finding"]: finding for finding in assessment["findings"]}
    assert {name: finding["verdict"] for name, finding in findings.items()} == {
        "leukopenia": expect.leukopenia,
        "thrombocytopenia": expect.thrombocytopenia,
        "bicytopenia": expect.bicytopenia,
    }
    used = {name: tuple(result["value"] for result in finding.get("results", [])) for name, finding in findings.items()}
    assert {name: values for name, values in used.items() if values} == expect.used
    not_used = {one["reference"].rpartition("/")[2]: one["reason"] for one in assessment.get("notUsed", [])}
    assert not_used == expect.not_used
    assert tuple(assessment.get("notAvailable", ())) == expect.not_available
    assert tuple(one["group"] for one in assessment.get("causeGroups", ())) == expect.cause_groups
    assert [card["indicator"] for card in body["cards"]] == ([expect.indicator] if expect.indicator else [])
    said = " ".join(card["detail"] for card in body["cards"])
    for words in expect.says:
        assert words in said
