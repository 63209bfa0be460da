"""The real server stopped, and its processes killed: what is in flight is answered, what was counted stays counted."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
import requests

from tests.builders import chart
from tests.builders.conversation import SERVICE
from tests.builders.fhir_stub import Reply, fhir_stub, resource, searchset
from tests.builders.ports import free_port
from tests.builders.serving import Served, serving, wait_for_end

pytestmark = pytest.mark.server


def _call(served: Served) -> int:
    return requests.post(served.url + SERVICE, json=chart.call(chart.prefetch([])), timeout=30).status_code


def _readiness(served: Served) -> tuple[int, str]:
    answer = requests.get(served.url + "/readyz", timeout=30)
    return answer.status_code, answer.json()["status"]


def test_readiness_falls_first_while_calls_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, CDS_AUTH="off", CDS_DRAIN_SECONDS="600") as served:
        assert _readiness(served) == (200, "ready")
        served.signal(signal.SIGTERM)
        served.wait_for_line("draining")
        for _ in range(10):  # whichever process is asked
            assert _readiness(served) == (503, "draining")
            assert _call(served) == 200
        assert requests.get(served.url + "/livez", timeout=30).status_code == 200
        os.kill(served.workers()[0], signal.SIGKILL)
        served.wait_for_line("library")
        assert {_readiness(served) for _ in range(10)} == {(503, "draining")}, "also by who replaces a dead one"
        served.signal(signal.SIGTERM)  # the second one means now
        assert served.process.wait(45) == 0


def test_the_drain_ends_by_itself(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1", CDS_AUTH="off", CDS_DRAIN_SECONDS="0.1") as served:
        served.signal(signal.SIGTERM)
        assert served.process.wait(45) == 0


def test_sigint_waits_for_nobody(tmp_path: Path) -> None:
    asked, gate = Event(), Event()

    def wait() -> None:
        asked.set()
        gate.wait(100)

    replies = {"Observation": Reply(searchset(), wait=wait), f"Patient/{chart.PATIENT}": resource("Patient", "p1")}
    settings = {"CDS_AUTH": "off", "CDS_TIME_BUDGET_MS": "60000"}
    with (
        fhir_stub(replies) as stub,
        serving(tmp_path, CDS_FHIR_SERVERS=stub.base, **settings) as served,
        ThreadPoolExecutor(1) as pool,
    ):
        held = pool.submit(requests.post, served.url + SERVICE, json=chart.call({}, fhirServer=stub.base), timeout=100)
        assert asked.wait(30), "the call is in flight"
        served.signal(signal.SIGINT)
        assert served.process.wait(45) == 0
        with pytest.raises(requests.ConnectionError):
            held.result(30)
        gate.set()


def test_metrics_go_on_when_processes_die_and_are_replaced(tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    counted = 'cds_calls_total{endpoint="call",status="2xx",tenant=""}'
    with serving(tmp_path, CDS_AUTH="off", CDS_METRICS_BIND=metrics) as served:
        assert [_call(served) for _ in range(6)] == [200] * 6
        for worker in served.workers():
            os.kill(worker, signal.SIGKILL)
            wait_for_end(worker)
        assert [_call(served) for _ in range(6)] == [200] * 6
        served.signal(signal.SIGHUP)
        served.wait_for_line("reloaded")
        assert [_call(served) for _ in range(6)] == [200] * 6
        assert f"{counted} 18.0" in requests.get(f"http://{metrics}/metrics", timeout=30).text


@pytest.mark.parametrize("before", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["at once", "after an answer"])
def test_heads_that_are_never_finished_hold_up_no_call(tmp_path: Path, before: bytes) -> None:
    with serving(tmp_path, "--workers", "1", "--threads", "2", CDS_AUTH="off") as served:
        address = urlsplit(served.url)
        half_sent: list[socket.socket] = []
        try:
            for _ in range(400):
                connection = socket.create_connection((str(address.hostname), address.port or 0), 30)
                half_sent.append(connection)
                connection.sendall(before)
                assert not before or connection.recv(65536).startswith(b"HTTP/1.1 200")
                connection.sendall(b"POST /cds-services/cytopenia-review HTTP/1.1\r\nHost: x\r\n")
            assert requests.get(served.url + "/livez", timeout=4).status_code == 200
        finally:
            for connection in half_sent:
                connection.close()
