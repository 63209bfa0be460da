"""Every fixture's call, bent: an answer that keeps the protocol or a refusal that repeats nothing, never a failure."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord, describe_call
from tests.builders import chart
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden
from tests.fuzz.effort import EFFORT
from tests.fuzz.fixture_requests import fixture_requests
from tests.fuzz.structural_mutations import MARK, mutated, reordered, with_repeated_members

LONGEST_ANSWER = 512 * 1024
REPORT = {
    "feedback": [
        accepted(),
        overridden(overrideReason={"reason": {"code": "a", "system": "https://example.org"}, "userComment": "known"}),
    ]
}
CALLS = st.sampled_from(sorted(fixture_requests())).map(fixture_requests().__getitem__)


def tries(number: int) -> settings:
    """So many examples; the same ones each time unless more are asked for."""
    return settings(
        max_examples=number * EFFORT, derandomize=EFFORT == 1, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def records() -> list[CallRecord]:
    """What the log is told of each call."""
    return []


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, records: list[CallRecord]) -> FlaskClient:
    database: Path = tmp_path_factory.mktemp("fuzz") / "records.sqlite3"
    options = Settings(auth="off", database_url=f"sqlite:///{database}")
    app = create_app(options, clock=lambda: chart.AS_OF, observers=(records.append,))
    return app.test_client()


def _send(client: FlaskClient, body: Any, url: str = SERVICE) -> TestResponse:
    return client.post(url, data=json.dumps(body), content_type="application/json")


def _check_refusal(answer: TestResponse, body: Any) -> None:
    assert_operation_outcome(answer.get_json(force=True))
    told = answer.get_data(as_text=True)
    assert MARK not in told
    assert _patient_in(body) not in told


def _patient_in(body: Any) -> str:
    context = body.get("context") if isinstance(body, dict) else None
    patient = context.get("patientId") if isinstance(context, dict) else None
    return patient if isinstance(patient, str) and len(patient) > 3 else MARK


@tries(600)
@given(CALLS, st.randoms(use_true_random=False))
def test_a_bent_call_is_answered_or_refused(
    client: FlaskClient, records: list[CallRecord], request_body: Any, random: Random
) -> None:
    body = mutated(request_body, random)
    records.clear()
    answer = _send(client, body)
    assert answer.status_code in {200, 400, 412}, answer.get_data(as_text=True)
    assert len(answer.data) < LONGEST_ANSWER
    if answer.status_code == 200:
        assert_response_conforms(answer.get_json(), body["context"]["patientId"])
    else:
        _check_refusal(answer, body)
    [record] = records
    assert MARK not in str(describe_call(record))


@tries(150)
@given(st.just(REPORT), st.randoms(use_true_random=False))
def test_a_bent_report_is_taken_or_refused(
    client: FlaskClient, records: list[CallRecord], report: Any, random: Random
) -> None:
    body = mutated(report, random)
    records.clear()
    answer = _send(client, body, FEEDBACK)
    assert answer.status_code in {200, 400}, answer.get_data(as_text=True)
    if answer.status_code == 400:
        _check_refusal(answer, body)
    assert MARK not in str(describe_call(records[0]))


@tries(150)
@given(CALLS, st.randoms(use_true_random=False))
def test_a_member_said_twice_is_refused_or_was_of_no_use(
    client: FlaskClient, request_body: Any, random: Random
) -> None:
    answer = _send(client, with_repeated_members(request_body, random))
    if answer.status_code == 200:
        assert answer.data == _send(client, request_body).data
        return
    assert answer.status_code == 400
    _check_refusal(answer, request_body)


@tries(60)
@given(CALLS, st.randoms(use_true_random=False))
def test_the_order_of_members_changes_nothing(client: FlaskClient, request_body: Any, random: Random) -> None:
    as_sent, other = _send(client, request_body), _send(client, reordered(request_body, random))
    assert (as_sent.status_code, as_sent.data) == (other.status_code, other.data)
