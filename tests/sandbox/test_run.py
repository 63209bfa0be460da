"""`cds-service sandbox` as an integrator runs it: one command, one line with the URL, everything behind it."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cds_service.outbound.plain import get_json, post_json
from cds_service.sandbox.ehr import Ehr
from cds_service.sandbox.fixtures import FixturePatient, fixture_folder, load_index
from tests.builders.running_sandbox import COMMAND, running
from tests.sandbox.chromium import Watched

PATIENTS = load_index(fixture_folder()).patients

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as (_, url, _):
        yield url


@pytest.mark.parametrize("patient", PATIENTS, ids=[patient.id for patient in PATIENTS])
def test_every_chart_leads_to_the_card_its_story_calls_for(url: str, patient: FixturePatient) -> None:
    exchange = Ehr(url, f"{url}/sandbox/fhir").open_chart(patient.id)
    assert exchange.refusal is None
    assert exchange.left_out == {}
    assert [card["indicator"] for card in exchange.cards] == (
        [] if patient.indicator == "none" else [patient.indicator]
    )


def test_the_service_may_read_the_sandboxs_own_fhir_server(url: str) -> None:
    request = {
        "hook": "patient-view",
        "hookInstance": "8a1f3c1e-7a41-4f0c-9c38-2a1d2f5d1a10",
        "fhirServer": f"{url}/sandbox/fhir",
        "context": {"userId": "Practitioner/example", "patientId": "amara-okafor"},
    }
    answer = post_json(f"{url}/cds-services/cytopenia-review", request)
    assert answer.status == 200
    assert isinstance(answer.document, dict)
    assert [card["indicator"] for card in answer.document["cards"]] == ["warning"]


def test_feedback_is_taken(url: str) -> None:
    ehr = Ehr(url, f"{url}/sandbox/fhir")
    (card,) = ehr.open_chart("amara-okafor").cards
    ehr.send_feedback([{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-01-15T10:00:00Z"}])
    assert get_json(f"{url}/sandbox/fhir/metadata").status == 200


@pytest.mark.browser
def test_the_main_job_in_a_browser(url: str, browser: Browser) -> None:
    context = browser.new_context()
    watched = Watched(context.new_page(), url)
    page = watched.page
    page.goto(url)
    page.get_by_role("link", name="Amara Okafor-Sample").click()
    card = page.get_by_role("article")
    expect(card).to_have_count(1)
    expect(card.get_by_text("Warning", exact=True)).to_be_visible()
    expect(card.get_by_role("table")).to_contain_text("2.9 10*3/uL")
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Bicytopenia")).to_contain_text("present")
    page.get_by_role("button", name=re.compile("^Accept")).first.click()
    expect(page.get_by_text(re.compile("^Draft order"))).to_be_visible()
    page.get_by_text("Override", exact=True).click()
    page.get_by_label("Reason").select_option(index=1)
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_role("status").filter(has_text="Feedback sent")).to_be_visible()
    page.goto(f"{url}/patients/amara-okafor")
    expect(page.get_by_text("Feedback keeps the card about bicytopenia quiet: already-known, until")).to_be_visible()
    for patient in PATIENTS:
        page.goto(f"{url}/patients/{patient.id}")
        expect(page.get_by_role("heading", level=1)).to_have_text(patient.name)
    context.close()
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with running() as (process, _, log):
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert "Traceback" not in log.read_text()


def _is_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_signal_lets_a_call_in_flight_finish() -> None:
    head = b"POST /cds-services/cytopenia-review HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with running() as (process, url, _):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
            connection.sendall(head + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 100", "the call is being read"
            process.send_signal(signal.SIGTERM)
            assert any(_is_refused(port) for _ in range(100_000)), "no more calls are taken"
            connection.sendall(b"{}")
            assert b"'hook' is missing" in b"".join(iter(lambda: connection.recv(4096), b"")), "it was read and judged"
        assert process.wait(timeout=15) == 0


def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, timeout=30, check=False, encoding="utf-8"
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: Can't listen on 127.0.0.1:{port} (address already in use). Choose another with --port."
    ]
