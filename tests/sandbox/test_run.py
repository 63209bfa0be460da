"""`cds-service sandbox` as an integrator runs it: one command, one line with the URL, everything behind it."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cds_service.outbound.plain import get_json, post_json
from cds_service.sandbox.ehr import Ehr

COMMAND = [sys.executable, "-m", "cds_service", "sandbox"]

pytestmark = pytest.mark.server


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL; killed when a test leaves it running."""
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, process.stderr.read() if process.stderr else ""
            yield process, found[0]
        finally:
            process.kill()


def test_service_fhir_server_and_page_are_up_once_the_url_is_printed() -> None:
    begun = time.monotonic()
    with running("--port", "0") as (_, url):
        assert time.monotonic() - begun < 10
        ehr = Ehr(url, f"{url}/sandbox/fhir")
        exchange = ehr.open_chart("amara-okafor")
        assert exchange.refusal is None
        assert [card["indicator"] for card in exchange.cards] == ["warning"]
        assert ehr.open_chart("oliver-example").response["cards"] == []
        assert get_json(f"{url}/sandbox/fhir/metadata").status == 200


def test_the_service_may_read_the_sandboxs_own_fhir_server() -> None:
    with running("--port", "0") as (_, url):
        request = {
            "hook": "patient-view",
            "hookInstance": "8a1f3c1e-7a41-4f0c-9c38-2a1d2f5d1a10",
            "fhirServer": f"{url}/sandbox/fhir",
            "context": {"userId": "Practitioner/example", "patientId": "amara-okafor"},
        }
        answer = post_json(f"{url}/cds-services/cytopenia-review", request)
        assert answer.status == 200
        assert isinstance(answer.document, dict)
        assert len(answer.document["cards"]) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with running("--port", "0") as (process, _):
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


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
