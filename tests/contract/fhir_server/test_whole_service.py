"""The whole service over each server: every synthetic patient's chart leads to the card that its story expects.

Once as an EHR that prefetches from that server (`open-chart`), once as one that sends no prefetch at all.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.outbound.plain import get_json
from cds_service.sandbox import ehr
from cds_service.sandbox.ehr import Ehr
from cds_service.settings import Settings
from fhir_fixtures.dates import AS_OF
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.golden_cards import GOLDEN, card_page
from tests.contract.fhir_server.fhir_under_test import FhirUnderTest, day_of, loaded
from tests.contract.fhir_server.searching import DECIMALS, MANY, PANELS, RESOLVED, TREATED

FIXTURES = Path(__file__).parents[3] / "fhir_fixtures"
PATIENTS = {row["id"]: row for row in json.loads((FIXTURES / "index.json").read_text(encoding="utf-8"))["patients"]}
FETCHED = sorted({MANY, PANELS, RESOLVED, TREATED, DECIMALS, "lars-eksempel", "moira-sample", "leonie-probst"})
"""One of each kind: what arrives from the server is the same as by prefetch, so that not all need asking twice."""

TITLE_EXPLAINED = {("medplum", "sean-sampla")}
"""3 is shorter than 3.0, so that the summary has room for one word more."""


@dataclass
class Service:
    """The service, allowed to call one FHIR server, on the day that its patients are dated by."""

    url: str
    client: FlaskClient
    server: FhirUnderTest


@pytest.fixture(scope="session")
def service(server: FhirUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database = tmp_path_factory.mktemp("whole-service") / "feedback.sqlite3"
    settings = Settings(
        auth="off", database_url=f"sqlite:///{database}", fhir_servers=server.base, time_budget_ms=60_000
    )
    as_of = _as_of(server)
    app = create_app(settings, clock=lambda: as_of)
    http = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield Service(f"http://127.0.0.1:{http.port}", app.test_client(), server)
    http.shutdown()
    http.server_close()
    thread.join(5)


@pytest.mark.server
@pytest.mark.parametrize("patient", sorted(PATIENTS))
def test_open_chart_gives_the_card_of_the_story(
    service: Service, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ehr, "get_json", partial(get_json, timeout=60.0))  # a busy machine is no difference
    exchange = Ehr(service.url, service.server.base, service.server.token).open_chart(patient)
    assert not exchange.left_out
    assert exchange.refusal is None
    _assert_as_the_story_expects(exchange.response, patient, service.server)


@pytest.mark.server
@pytest.mark.parametrize("patient", FETCHED)
def test_without_prefetch_the_card_is_the_same(service: Service, patient: str) -> None:
    answer = service.client.post("/cds-services/cytopenia-review", json=_call(patient, service.server))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    _assert_as_the_story_expects(answer.get_json(), patient, service.server)


def _call(patient: str, server: FhirUnderTest) -> dict[str, Any]:
    """A call without prefetch, as an EHR makes it that leaves the reading to the service."""
    call = {
        "hook": "patient-view",
        "hookInstance": str(uuid5(NAMESPACE_URL, patient)),
        "context": {"userId": "Practitioner/example", "patientId": patient},
        "fhirServer": server.base,
    }
    granted = {"token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "cytopenia-cds"}
    return call | ({"fhirAuthorization": granted | {"access_token": server.token}} if server.token else {})


def _as_of(server: FhirUnderTest) -> datetime:
    """The fixtures' reference time, moved by as many days as the server's patients were when they were loaded."""
    observation = next(resource for resource in loaded(MANY) if resource["resourceType"] == "Observation")
    moved = day_of(server.get(f"Observation/{observation['id']}").document) - day_of(observation)
    return AS_OF + timedelta(days=moved.days)


def _assert_as_the_story_expects(body: Mapping[str, Any], patient: str, server: FhirUnderTest) -> None:
    assert_response_conforms(dict(body), patient)
    expect, assessment = PATIENTS[patient]["expect"], body["extension"]["org.cytopenia-cds.assessment"]
    verdicts = {finding["finding"]: finding["verdict"] for finding in assessment["findings"]}
    assert verdicts == {finding: expect[finding] for finding in verdicts}
    assert not {"patient", "companions", "conditions", "medications"} & set(assessment.get("notAvailable", ()))
    assert [card["indicator"] for card in body["cards"]] == ([expect["indicator"]] if expect["indicator"] else [])
    if server.name != "given":  # whose patients may be dated by another day
        golden = GOLDEN / f"{patient}.md"
        expected = [golden.read_text(encoding="utf-8")] if golden.exists() else []
        title = (server.name, patient) in TITLE_EXPLAINED
        assert [_as_shown(card_page(card), title) for card in body["cards"]] == [
            _as_shown(page, title) for page in expected
        ]


def _as_shown(page: str, without_title: bool) -> str:
    """Without the final zero of 3.0, which a server may drop (`decimals` in the known differences)."""
    shown = re.sub(r"(\d)\.0\b", r"\1", page)
    return shown.partition("\n")[2] if without_title else shown
