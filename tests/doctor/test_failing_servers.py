"""Servers that fail, or aren't there: each failure in a plain sentence, with what to do next, and exit code 1."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.doctor.searches_step import Search, searches_step
from cds_service.doctor.steps import Outcome
from tests.builders.conversation import LOW_COUNTS
from tests.builders.fhir_chart import COUNTS, PATIENT, served_chart
from tests.builders.fhir_stub import Reply, fhir_stub, outcome, searchset
from tests.builders.ports import free_port
from tests.builders.raw_server import Behaviour, closes, hangs, raw_server, resets, sends
from tests.doctor.conftest import Doctor

NO_SERVER: list[tuple[str, Behaviour, str, str]] = [
    ("hangs", hangs, "No answer in time.", "look for a firewall"),
    ("hangs up", closes, "closed the connection before it had answered", "whether it is https"),
    ("resets", resets, "closed the connection before it had answered", "whether it is https"),
    ("is no web server", sends(b"220 mail.example.org ESMTP\r\n", closes), "closed the connection", "Check the port"),
]

IN_THE_WAY: list[tuple[str, Reply, str, str]] = [
    ("401", Reply(outcome("error"), 401), "doesn't accept the token, or wants one (401)", "--token-file"),
    ("403", Reply(outcome("error"), 403), "doesn't allow this (403)", "patient/Observation.rs"),
    ("404", Reply({"resourceType": "Odd"}, 404), "There is no such thing on the server (404)", "base URL"),
    ("429", Reply(outcome("error"), 429), "asked too often (429)", "Wait a while"),
    ("500", Reply(outcome("error"), 500), "The server failed (500)", "Ask whoever runs"),
    ("503", Reply(b"busy", 503, "text/plain"), "The server failed (503)", "Ask whoever runs"),
    ("a redirect", Reply(None, 302, headers={"Location": "https://x.example"}), "redirects us", "that it redirects to"),
    ("a web page", Reply(b"<html>Sign in</html>", media_type="text/html"), "is a web page, not FHIR", "base URL"),
    ("text", Reply(b"hello", media_type="text/plain"), "not FHIR's JSON", "base URL"),
    ("half a JSON", Reply(b'{"resourceType": "Bun'), "not FHIR's JSON", "base URL"),
    ("another resource", Reply({"resourceType": "Basic", "id": "x"}), "not what was asked for", "base URL"),
    ("an error as success", Reply(outcome("error")), "answered with an OperationOutcome", "Ask whoever runs"),
    ("418", Reply(None, 418), "The server answered 418.", "Ask whoever runs"),
]


@pytest.mark.parametrize(("behaviour", "says", "advice"), [row[1:] for row in NO_SERVER], ids=[r[0] for r in NO_SERVER])
def test_a_server_that_does_not_answer(doctor: Doctor, behaviour: Behaviour, says: str, advice: str) -> None:
    with raw_server(behaviour) as server:
        result = doctor(server.base, *(["--wait", "1"] if behaviour is hangs else []))
    assert result.exit_code == 1
    assert says in result.output
    assert advice in result.output
    assert "The searches" not in result.output


@pytest.mark.parametrize(("reply", "says", "advice"), [row[1:] for row in IN_THE_WAY], ids=[r[0] for r in IN_THE_WAY])
def test_a_server_that_answers_everything_so(doctor: Doctor, reply: Reply, says: str, advice: str) -> None:
    with fhir_stub({"": reply}) as server:
        result = doctor(server.base, token="t0ken")
    assert result.exit_code == 1
    assert says in result.output
    assert advice in result.output
    assert "None: the service would refuse the call." in result.output
    assert "SECRET-DIAGNOSTICS" not in result.output


def test_nobody_listens_there(doctor: Doctor) -> None:
    result = doctor(f"http://127.0.0.1:{free_port()}/fhir")
    assert result.exit_code == 1
    assert "The server can't be reached" in result.output
    assert "Check host and port" in result.output


def test_a_name_that_is_not_known(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr("cds_service.doctor.failures.socket.getaddrinfo", unknown)
    result = doctor(f"http://localhost:{free_port()}/fhir")
    assert result.exit_code == 1
    assert "The host's name can't be found (DNS)." in result.output


def test_a_certificate_of_nobody_we_know(doctor: Doctor, tls_port: int) -> None:
    result = doctor(f"https://localhost:{tls_port}/fhir")
    assert result.exit_code == 1
    assert "certificate is not accepted" in result.output
    assert "CDS_CA_BUNDLE" in result.output


def test_an_address_that_is_never_called(doctor: Doctor) -> None:
    result = doctor("http://169.254.169.254/fhir")
    assert result.exit_code == 1
    assert "never called" in result.output


def test_a_patient_who_is_not_there(doctor: Doctor) -> None:
    with fhir_stub(served_chart([]) | {PATIENT: Reply(outcome("error"), 404)}) as server:
        result = doctor(server.base)
    assert result.exit_code == 1
    assert "There is no Patient/synthetic-1 here: check that the id and the server belong together." in result.output


def test_a_search_that_was_not_answered_in_time() -> None:
    step = searches_step([Search("counts", COUNTS, exchange=None, gathered=None)], 1, "synthetic-1", budget_ms=2000)
    assert step.outcome is Outcome.PROBLEM
    assert step.says[0] == "counts (Observation): failed after 0 ms. No answer in time."


def test_next_links_that_lead_elsewhere(doctor: Doctor) -> None:
    replies = served_chart(LOW_COUNTS)
    found = [entry["resource"] for entry in replies[COUNTS]["entry"]]  # type: ignore[index]
    elsewhere = searchset(*found, next_url="https://elsewhere.example/fhir?page=2")
    with fhir_stub(replies | {COUNTS: elsewhere}) as server:
        result = doctor(server.base)
    assert "counts (Observation): 3 found" in result.output
    assert "more are there that could not be had" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fhir-server", "ftp://ehr.example.org", "--patient", "x"], "http or https URL"),
        (["--fhir-server", "http://ehr.example.org/fhir?x=1", "--patient", "x"], "no query"),
        (["--fhir-server", "http://127.0.0.1:9/fhir", "--patient", "a/b"], "must be a FHIR id"),
        (["--fhir-server", "http://127.0.0.1:9/fhir", "--patient", "x", "--wait", "0"], "--wait"),
        (["--fhir-server", "http://127.0.0.1:9/fhir"], "--patient"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["doctor", *arguments])
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("token", ["", "two words", "lines\nof it", "tök"])
def test_a_token_that_no_header_can_hold_is_not_shown(doctor: Doctor, token: str) -> None:
    result = doctor("http://127.0.0.1:9/fhir", token=token)
    assert result.exit_code == 2
    assert "must hold one token" in result.output
    assert not token or token not in result.output


def test_a_token_file_that_is_not_there(doctor: Doctor, tmp_path: Path) -> None:
    result = doctor("http://127.0.0.1:9/fhir", "--token-file", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "the file can't be read" in result.output


def test_knowledge_that_cannot_be_used_ends_with_2(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(tmp_path))
    result = doctor("http://127.0.0.1:9/fhir")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "The server" not in result.stdout


def test_a_wrong_setting_ends_with_2(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_TIME_BUDGET_MS", "soon")
    result = doctor("http://127.0.0.1:9/fhir")
    assert result.exit_code == 2
    assert "CDS_TIME_BUDGET_MS" in result.output


@pytest.fixture
def tls_port() -> Iterator[int]:
    """A TLS server whose authority nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                context.wrap_socket(listener.accept()[0], server_side=True).close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(1)
