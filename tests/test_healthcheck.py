"""What a container's health check says of the service beside it."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cds_service import healthcheck

STATUSES = {"/livez": 200, "/readyz": 503, "/moved": 302}


class Service(BaseHTTPRequestHandler):
    """Answers each path with its status."""

    def do_GET(self) -> None:
        """Answer one question."""
        self.send_response(STATUSES[self.path])
        self.send_header("Location", "/livez")
        self.end_headers()
        self.wfile.write(json.dumps({"status": "as told"}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("path", "exit_code"), [("/livez", 0), ("/readyz", 1), ("/moved", 1)])
def test_only_200_is_healthy_and_what_the_service_said_is_told(
    service: str, path: str, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    ran = _run(service + path)
    assert (ran.returncode, ran.stdout) == (exit_code, f'{STATUSES[path]} {{"status": "as told"}}\n')


def test_a_service_that_is_not_there_is_unhealthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once_taken:
        port = once_taken.getsockname()[1]
    ran = _run(f"http://127.0.0.1:{port}/livez")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "no answer: ConnectionRefusedError\n", "")


def test_a_service_that_does_not_answer_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert healthcheck.ask(f"http://127.0.0.1:{silent.getsockname()[1]}/livez") == (
            False,
            "no answer: TimeoutError",
        )


def test_it_is_cheap_to_ask_often_nothing_but_the_standard_library_is_loaded() -> None:
    told = "import sys, cds_service.healthcheck; print(*{n.partition('.')[0] for n in sys.modules} - {'cds_service'})"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert not {"click", "flask", "pydantic", "orjson", "structlog"} & set(loaded)


def _run(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cds_service.healthcheck", url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
