"""One line a call, with what an operator needs and nothing of the patient."""

import io
import sys
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.web.request_log import CallRecord, configure_logging, log_call
from tests.builders.conversation import FEEDBACK, SERVICE, overridden, replaced, valid_call, without
from tests.builders.log_lines import without_durations
from tests.web.conftest import MakeClient

MARKERS = ("synthetic-1", "synthetic-p1", "Marker", "synthetic-token", "1970", "2.9")


def _marked() -> dict[str, Any]:
    call = valid_call(
        fhirServer="https://marker.example.org/fhir",
        fhirAuthorization={"access_token": "synthetic-token", "token_type": "Bearer"},
    )
    return replaced(call, {"resourceType": "Patient", "id": "Marker", "name": "Marker"}, "prefetch", "patient")


def test_a_call_is_one_line_of_facts(client: FlaskClient, lines: Any) -> None:
    card = client.post(SERVICE, json=_marked()).get_json()["cards"][0]
    (line,) = lines()
    assert line.pop("ms") >= 0
    assert line == {
        "event": "call",
        "level": "info",
        "time": "2026-01-15T12:00:00+00:00",
        "endpoint": "call",
        "service": "cytopenia-review",
        "hookInstance": _marked()["hookInstance"],
        "status": 200,
        "verdicts": {"leukopenia": "present"},
        "indicator": "warning",
        "cards": [card["uuid"]],
        "knowledgeVersion": "synthetic",
        "fetchedMs": {"conditions": 12.5},
        "setAside": {"unit-missing": 2},
    }


def test_feedback_is_counted_not_quoted(client: FlaskClient, lines: Any) -> None:
    client.post(FEEDBACK, json={"feedback": [overridden(overrideReason={"userComment": "Marker said so"})]})
    (line,) = lines()
    assert line["feedbackEntries"] == 1
    assert "Marker" not in str(line)


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (SERVICE, _marked()),
        (SERVICE, _marked() | {"hookInstance": "Marker"}),
        (SERVICE, replaced(_marked(), "Patient/Marker", "context", "patientId")),
        (SERVICE, without(_marked(), "prefetch", "counts")),
        ("/cds-services/Marker", _marked()),
        ("/Patient/Marker?name=Marker", _marked()),
        (FEEDBACK, {"feedback": [{"card": "Marker"}]}),
    ],
)
def test_no_line_holds_anything_of_the_patient_or_the_token(
    client: FlaskClient, lines: Any, url: str, body: dict[str, Any]
) -> None:
    client.post(url, json=body)
    text = without_durations(lines())
    assert '"status"' in text
    for marker in MARKERS:
        assert marker not in text


def test_a_refusal_is_logged_by_its_kind(client: FlaskClient, lines: Any) -> None:
    client.post(SERVICE, json={})
    client.get("/nothing")
    assert [(line["status"], line["refused"]) for line in lines()] == [(400, "RequestInvalid"), (404, "NotFound")]


def test_an_observer_that_fails_costs_no_answer(make_client: MakeClient, lines: Any) -> None:
    def fail(_record: CallRecord) -> None:
        raise OSError("No space left on device")

    client = make_client(observers=(fail, log_call))
    assert client.post(SERVICE, json=valid_call()).status_code == 200
    assert [line["event"] for line in lines()] == ["observer-failed", "call"]


def test_a_log_that_cannot_be_written_costs_no_answer(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logging("info")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert client.post(SERVICE, json=valid_call()).status_code == 200


def test_probes_of_a_working_service_are_silent(client: FlaskClient, lines: Any) -> None:
    client.get("/livez")
    client.get("/readyz")
    assert lines() == []


def test_the_level_silences_calls_and_keeps_failures(client: FlaskClient, service: Any, lines: Any) -> None:
    configure_logging("error")
    client.post(SERVICE, json=valid_call())
    assert lines() == []
    service.failure = ValueError("x")
    client.post(SERVICE, json=valid_call())
    assert [line["event"] for line in lines()] == ["unexpected-error", "call"]
