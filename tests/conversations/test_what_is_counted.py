"""What operators are told in numbers: each call's fate by its cause, the FHIR servers' answers, the time in each room.

And that nothing a client sends can make the numbers grow in kind, or hold a patient's data.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient

from cds_service import call_phases
from cds_service.app import build_parts, create_app
from cds_service.call_phases import Phase
from cds_service.cds_hooks.clients import CdsClient
from cds_service.settings import Settings
from cds_service.web.metrics import PhaseCounts, count_call
from tests.builders import chart
from tests.builders.conversation import FEEDBACK, LOW_COUNTS, SERVICE, accepted, overridden, valid_call
from tests.builders.counted import counted, series
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub, outcome
from tests.builders.ports import free_port

TENANT = "counted"
NO_COUNTS: dict[str, Any] = {key: value for key, value in chart.prefetch([]).items() if key != "counts"}
UNSENT_PORT = free_port()


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    replies: dict[str, Any] = {
        "Patient/": chart.patient(),
        "Observation": chart.searchset(chart.resources(LOW_COUNTS)),
        "Condition": chart.searchset([]),
        "MedicationRequest": chart.searchset([]),
    }
    with fhir_stub(replies) as serving:
        yield serving


class Late:
    """Tells when a request to a FHIR server has come to nothing in time, and was counted so."""

    def __init__(self) -> None:
        self.has_ended = Event()

    def begins(self, phase: Phase) -> None:
        """Nothing to tell."""

    def ends(self, phase: Phase) -> None:
        """Tell it."""
        if phase.outcome == "timeout":
            self.has_ended.set()


@pytest.fixture
def late() -> Late:
    return Late()


@pytest.fixture
def client(tmp_path: Path, late: Late) -> Iterator[FlaskClient]:
    """The whole service with its counts, for a client of the tenant `counted`."""
    settings = Settings(
        auth="off",
        fhir_servers=("http://127.0.0.1:*/fhir",),
        database_url=f"sqlite:///{tmp_path}/records.sqlite3",
        time_budget_ms=500,
    )
    parts = replace(build_parts(settings), authenticate=lambda *_: CdsClient("https://ehr.example.org", TENANT))
    app = create_app(
        settings, clock=lambda: chart.AS_OF, parts=parts, observers=(count_call,), listeners=(PhaseCounts(), late)
    )
    with app.test_client() as test_client:
        yield test_client


def _refused(reason: str) -> float:
    return counted("cds_calls_refused_total", refused="DataNotAvailable", reason=reason, tenant=TENANT)


def _first_page(_: FhirStub) -> dict[str, Any]:
    """Normal counts in prefetch, whose other pages can't be had."""
    link = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    return chart.prefetch([]) | {"counts": chart.searchset(chart.resources([{"wbc": 6, "days": 1}]), link=link)}


def _asked(status: int) -> Callable[[FhirStub], dict[str, Any]]:
    def prefetched(stub: FhirStub) -> dict[str, Any]:
        stub.replies["Observation"] = Reply(outcome("error"), status)
        return NO_COUNTS

    return prefetched


def _of_unknown_patient(stub: FhirStub) -> dict[str, Any]:
    stub.replies |= {"Patient/": Reply(outcome("error"), 404), "Observation": Reply(chart.searchset([]))}
    return {}


CAUSES: dict[str, tuple[Callable[[FhirStub], dict[str, Any]], str | None]] = {
    "no-server": (lambda _: NO_COUNTS, None),
    "server-not-allowed": (lambda _: NO_COUNTS, "https://elsewhere.example.org/fhir"),
    "prefetch-failed": (lambda _: NO_COUNTS | {"counts": outcome("error")}, None),
    "counts-incomplete": (_first_page, None),
    "other-patient": (lambda _: chart.prefetch(LOW_COUNTS) | {"patient": chart.patient(id="another")}, None),
    "unknown-patient": (_of_unknown_patient, "stub"),
    "access-refused": (_asked(403), "stub"),
    "server-error": (_asked(500), "stub"),
    "throttled": (_asked(429), "stub"),
    "unusable": (_asked(200), "stub"),
    "not-reached": (lambda _: NO_COUNTS, f"http://127.0.0.1:{UNSENT_PORT}/fhir"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_call_without_its_data_is_counted_by_the_cause(client: FlaskClient, stub: FhirStub, cause: str) -> None:
    prefetched, server = CAUSES[cause]
    before = _refused(cause)
    body = chart.call(prefetched(stub)) | ({"fhirServer": stub.base if server == "stub" else server} if server else {})
    assert client.post(SERVICE, json=body).status_code == 412
    assert _refused(cause) == before + 1


def test_a_server_that_answers_too_late_is_counted_though_its_call_is_over(
    client: FlaskClient, stub: FhirStub, late: Late
) -> None:
    about = {"server": "127.0.0.1", "outcome": "timeout"}
    before, refused = counted("cds_fhir_requests_total", **about), _refused("timeout")
    gate = Event()
    stub.replies["Observation"] = Reply(chart.searchset([]), wait=gate.wait)
    assert client.post(SERVICE, json=chart.call(NO_COUNTS) | {"fhirServer": stub.base}).status_code == 412
    assert late.has_ended.wait(20)
    gate.set()
    assert _refused("timeout") == refused + 1
    assert counted("cds_fhir_requests_total", **about) > before


def test_what_fhir_servers_answer_is_counted_by_their_host(client: FlaskClient, stub: FhirStub) -> None:
    stub.replies["Condition"] = Reply(outcome("error"), 503)
    outcomes = ("answered", "server-error")
    before = [counted("cds_fhir_requests_total", server="127.0.0.1", outcome=one) for one in outcomes]
    timed = counted("cds_fhir_request_seconds_count", server="127.0.0.1")
    assert client.post(SERVICE, json=chart.call({}) | {"fhirServer": stub.base}).status_code == 200
    after = [counted("cds_fhir_requests_total", server="127.0.0.1", outcome=one) for one in outcomes]
    assert after[0] >= before[0] + 4, "patient, counts, companions, medications"
    assert after[1] == before[1] + 1
    assert counted("cds_fhir_request_seconds_count", server="127.0.0.1") >= timed + 5


def test_the_time_in_each_room_is_counted(client: FlaskClient) -> None:
    def times() -> dict[str, float]:
        phases = get_args(call_phases.Name)
        return {name: counted("cds_phase_seconds_count", phase=name) for name in phases}

    before = times()
    assert client.post(SERVICE, json=valid_call()).status_code == 200
    passed = {name: number - before[name] for name, number in times().items()}
    assert passed == dict.fromkeys(passed, 1.0) | {"remembering": 2.0, "web": 0.0, "fetching": 0.0}


def test_what_became_of_results_and_findings_is_counted(client: FlaskClient) -> None:
    def now() -> list[float]:
        return [
            counted("cds_results_used_total", tenant=TENANT),
            counted("cds_results_set_aside_total", reason="unit-missing", tenant=TENANT),
            counted("cds_verdicts_total", finding="leukopenia", verdict="present", tenant=TENANT),
            counted("cds_cards_total", finding="bicytopenia", indicator="warning", tenant=TENANT),
            counted("cds_memory_unavailable_total"),
        ]

    before = now()
    unread: dict[str, Any] = {"wbc": 4.4, "days": 400, "unit": None}
    assert client.post(SERVICE, json=chart.call(chart.prefetch([*LOW_COUNTS, unread]))).status_code == 200
    assert [after - then for after, then in zip(now(), before, strict=True)] == [3, 1, 1, 1, 0]


def _hostile(client: FlaskClient, word: str) -> None:
    """Everything that a client chooses, with a word that nobody has seen before."""
    odd = f"{word}<&\n\"'"
    headers = {"traceparent": odd.replace("\n", ""), "Authorization": f"Bearer {word}", "X-Tenant": word}
    client.get(f"/{word}", headers=headers)
    client.open("/cds-services", method=word.upper(), headers=headers)
    client.post(f"/cds-services/{word}", json=valid_call(), headers=headers)
    client.post(SERVICE, data=odd, content_type=f"application/{word}", headers=headers)
    client.post(SERVICE, json=chart.call(NO_COUNTS) | {"fhirServer": f"https://{word}.example.org/fhir"})
    client.post(SERVICE, json=chart.call(NO_COUNTS) | {"fhirServer": f"http://127.0.0.1:{UNSENT_PORT}/fhir/{word}"})
    notes: list[dict[str, Any]] = [
        {"wbc": 2.9, "days": 1, "unit": word},
        {"wbc": word, "days": 2},
        {"condition": f"local {word}"},
    ]
    prefetched = chart.prefetch([*LOW_COUNTS, *notes]) | {word: odd}
    client.post(SERVICE, json=chart.call(prefetched) | {"hookInstance": str(uuid.uuid4()), word: word})
    reason = {"code": word, "system": f"https://{word}", "display": odd}
    entries = [accepted(), overridden(overrideReason={"reason": reason, "userComment": odd})]
    client.post(FEEDBACK, json={"feedback": [one | {"card": str(uuid.uuid4())} for one in entries]}, headers=headers)


def test_nothing_a_client_sends_makes_a_new_series_or_stands_in_one(client: FlaskClient) -> None:
    _hostile(client, "firstmarker")
    known = series()
    for number in range(5):
        _hostile(client, f"marker{number}")
    assert series() == known
    assert "marker" not in str(known)
    assert chart.PATIENT not in str(known)
