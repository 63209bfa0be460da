"""A chart opened for a patient that the FHIR server doesn't know: an error, never an empty answer."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.fhir_stub import Reply, fhir_stub

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    settings = Settings(
        auth="off", fhir_servers=("http://127.0.0.1:*/fhir",), database_url=f"sqlite:///{tmp_path}/feedback.sqlite3"
    )
    return create_app(settings, clock=lambda: chart.AS_OF).test_client()


def _open(client: FlaskClient, patient: Reply, counts: list[dict[str, Any]]) -> Any:
    found = chart.searchset(chart.resources(counts))
    nothing = chart.searchset([])
    replies = {"Patient/": patient, "Observation?": found, "Condition?": nothing, "MedicationRequest?": nothing}
    with fhir_stub(replies) as stub:
        return client.post("/cds-services/cytopenia-review", json=chart.call({}, fhirServer=stub.base))


@pytest.mark.parametrize("status", [404, 410])
def test_no_such_patient_and_no_counts_is_a_412_that_says_so(client: FlaskClient, status: int) -> None:
    answer = _open(client, Reply(OUTCOME, status), [])
    assert answer.status_code == 412
    assert_operation_outcome(answer.get_json())
    assert "no Patient with the id of context.patientId" in answer.get_data(as_text=True)


def test_counts_are_judged_where_the_patient_can_not_be_read(client: FlaskClient) -> None:
    answer = _open(client, Reply(OUTCOME, 404), [{"wbc": 0.9, "days": 2}])
    assert answer.status_code == 200
    assert [card["indicator"] for card in answer.get_json()["cards"]] == ["critical"]


def test_a_patient_without_counts_is_answered_quietly(client: FlaskClient) -> None:
    answer = _open(client, Reply(chart.patient()), [])
    assert (answer.status_code, answer.get_json()["cards"]) == (200, [])
