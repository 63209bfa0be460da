"""The real server as a process, spoken to over raw sockets: what is no HTTP, too long, too slow, or in flight."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests

from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE, overridden, replaced, valid_call
from tests.builders.ports import free_port
from tests.web.fake_server import GATED_ENCOUNTER

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
BODY = json.dumps(valid_call()).encode()
LIMIT = 100_000
GATE = "gate"
HEAD = f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()


class Server(NamedTuple):
    """A running server and where it listens."""

    process: subprocess.Popen[bytes]
    url: str
    metrics: str


def _start(folder: Path) -> Server:
    metrics = f"127.0.0.1:{free_port()}"
    os.mkfifo(folder / GATE)
    arguments = [f"sqlite:///{folder}/feedback.sqlite3", metrics, str(folder / GATE)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.fake_server", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=(folder / "log").open("wb"), env=os.environ | {"TMPDIR": str(folder)},
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()
    assert url.startswith("http://127.0.0.1:"), (folder / "log").read_text()
    return Server(process, url, f"http://{metrics}/metrics")


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=20)
    finally:
        process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    server = _start(folder)
    yield server.url
    assert _stop(server.process) == 0


def _exchange(url: str, *parts: bytes, timeout: float = 10) -> tuple[int, bytes]:
    """Send the parts, then read until the server closes; the status and the whole answer."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=timeout) as connection:
        for part in parts:
            connection.sendall(part)
        answer = bytearray()
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            assert answer, "reset without an answer"
    return int(answer.split(b" ", 2)[1]), bytes(answer)


def _outcome(answer: bytes) -> None:
    assert_operation_outcome(json.loads(answer.partition(b"\r\n\r\n")[2]))
    assert b"Marker" not in answer
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in head
    for header in (b"cache-control: no-store", b"x-content-type-options: nosniff", b"content-security-policy: default"):
        assert header in head


def test_a_call_is_answered_by_length_and_in_chunks(url: str) -> None:
    by_length = requests.post(url + SERVICE, json=valid_call(), timeout=10)
    in_chunks = requests.post(
        url + SERVICE, data=iter([BODY[:100], BODY[100:]]), headers={"Content-Type": "application/json"}, timeout=10
    )
    assert (by_length.status_code, in_chunks.status_code) == (200, 200)
    assert_response_conforms(by_length.json())
    assert by_length.json() == in_chunks.json()
    assert "Server" not in by_length.headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"Marker\r\n\r\n",
        b"GET /Marker HTTP/9.9\r\n\r\n",
        b"GET /cds-services HTTP/1.1\r\nHost: x\r\nMar ker: x\r\n\r\n",
        b"GET /cds-services HTTP/1.1\r\nHost: x\r\nAuthorization : Marker\r\n\r\n",
        b"GET /cds-services HTTP/1.1\r\nHost: x\r\n" + b"X-Marker: 1\r\n" * 200 + b"\r\n",
        b"GET /" + b"Marker" * 5000 + b" HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: Marker\r\n\r\n",
        HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nMarker\r\n{}\r\n0\r\n\r\n",
        HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}Marker\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_without_being_repeated(url: str, request_bytes: bytes) -> None:
    status, answer = _exchange(url, request_bytes)
    assert 400 <= status < 500 or status == 501, answer
    _outcome(answer)


@pytest.mark.parametrize(
    "header", ["SCRIPT_NAME: /x", "PATH_INFO: /x", "X-Forwarded-Proto: https", "X-Forwarded-Host: x"]
)
def test_no_header_of_a_client_moves_the_service(url: str, header: str) -> None:
    request = f"GET /cds-services HTTP/1.1\r\nHost: y\r\nConnection: close\r\n{header}\r\n\r\n"
    status, answer = _exchange(url, request.encode())
    assert status == 200, answer


def test_a_body_announced_too_long_is_413_before_it_is_sent(url: str) -> None:
    status, answer = _exchange(url, HEAD + f"Connection: close\r\nContent-Length: {10 * LIMIT}\r\n\r\n".encode())
    assert status == 413
    _outcome(answer)


def test_a_chunked_body_too_long_is_413(url: str) -> None:
    chunk = f"{LIMIT // 2:x}\r\n".encode() + b" " * (LIMIT // 2) + b"\r\n"
    status, answer = _exchange(
        url, HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", chunk, chunk, chunk
    )
    assert status == 413
    _outcome(answer)


def test_clients_that_stop_sending_hold_up_nobody_and_are_answered(url: str) -> None:
    """More stalled clients than the workers answer calls at once: calls are answered before these give up."""
    address = urlsplit(url)
    stalled = [socket.create_connection((str(address.hostname), address.port or 0), timeout=15) for _ in range(16)]
    for connection in stalled:
        connection.sendall(HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:50])
    for _ in range(4):
        assert requests.post(url + SERVICE, json=valid_call(), timeout=15).status_code == 200
    assert select.select(stalled, [], [], 0)[0] == [], "all of them are still waited for"
    for connection in stalled:
        assert connection.recv(12).startswith(b"HTTP/1.1 400")
        connection.close()


def test_a_head_that_never_ends_frees_its_thread(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        connection.sendall(HEAD)
        assert connection.recv(100) == b"", "closed"


WHOLE = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def _answer(stream: BinaryIO, status: bytes = b"200 OK") -> dict[str, Any]:
    """The body of the next answer on a connection that is kept."""
    assert stream.readline() == b"HTTP/1.1 " + status + b"\r\n"
    head = dict(line.decode().strip().lower().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
    assert head["connection"] == "keep-alive"
    body: dict[str, Any] = json.loads(stream.read(int(head["content-length"])))
    return body


@pytest.mark.parametrize(
    "cut", [None, 10, len(HEAD) + 2, -5], ids=["whole", "in its line", "in its head", "in its body"]
)
def test_requests_upon_each_other_are_answered_in_turn_wherever_they_are_cut(url: str, cut: int | None) -> None:
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        answers = connection.makefile("rb")
        for _ in range(20):
            connection.sendall(WHOLE + WHOLE[:cut])
            first = _answer(answers)
            assert_response_conforms(first)
            connection.sendall(WHOLE[len(WHOLE[:cut]) :])
            assert _answer(answers) == first


def test_an_answer_without_a_body_comes_at_once_and_the_next_one_upon_it(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        answers = connection.makefile("rb")
        for method in (b"HEAD", b"OPTIONS", b"HEAD"):
            connection.sendall(method + b" /cds-services HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            head = b"".join(iter(answers.readline, b"\r\n"))
            assert b"\r\nContent-Length: " in head
        connection.sendall(WHOLE)
        assert_response_conforms(_answer(answers))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_was_refused_unread_is_not_taken_for_a_request(url: str, chunked: bool) -> None:
    address = urlsplit(url)
    hidden = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    told, body = f"Content-Length: {len(hidden)}", hidden
    if chunked:
        told, body = "Transfer-Encoding: chunked", f"{len(hidden):x}\r\n".encode() + hidden + b"\r\n0\r\n\r\n"
    plain = f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n{told}\r\n\r\n".encode()
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        answers = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(plain + body + WHOLE)
            assert _answer(answers, b"415 UNSUPPORTED MEDIA TYPE")["resourceType"] == "OperationOutcome"
            assert_response_conforms(_answer(answers))


def test_a_head_that_never_ends_after_an_answer_frees_its_thread(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        answers = connection.makefile("rb")
        connection.sendall(WHOLE)
        _answer(answers)
        connection.sendall(HEAD)
        assert answers.read() == b"", "closed"


def test_feedback_is_on_disk_when_it_is_acknowledged(url: str, folder: Path) -> None:
    for _ in range(4):
        report = {"feedback": [overridden(overrideReason={"userComment": "Marker"})]}
        assert requests.post(url + FEEDBACK, json=report, timeout=10).status_code == 200
    assert (folder / "feedback.sqlite3").stat().st_size > 0
    assert "Marker" not in (folder / "log").read_text()


def _is_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _comes_to_refuse(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether the server closes its door; it is asked now and then, so as not to keep it busy."""
    for _ in range(500):
        if _is_refused(port):
            return True
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return False


def test_sigterm_lets_a_call_in_flight_finish(tmp_path: Path) -> None:
    process, url, _ = _start(tmp_path)
    address = urlsplit(url)
    body = json.dumps(replaced(valid_call(), GATED_ENCOUNTER, "context", "encounterId")).encode()
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=15) as connection:
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert requests.get(url + "/livez", timeout=10).status_code == 200, "the server has taken the call"
        process.send_signal(signal.SIGTERM)
        assert _comes_to_refuse(process, address.port or 0), "later callers are refused"
        assert process.poll() is None, "while the call is still worked on"
        Thread(target=(tmp_path / GATE).write_bytes, args=(b"open",), daemon=True).start()
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert process.wait(timeout=20) == 0
    assert not list(tmp_path.glob("cds-service-*")), "nothing is left behind"


def test_metrics_are_summed_over_the_processes_and_served_apart(tmp_path: Path) -> None:
    process, url, metrics = _start(tmp_path)
    try:
        for _ in range(20):  # a new connection each, so that both workers get some
            assert requests.post(url + SERVICE, json=valid_call(), timeout=10).status_code == 200
        assert requests.post(url + SERVICE, data=b"x", timeout=10).status_code == 415
        for _ in range(4):
            assert requests.post(url + FEEDBACK, json={"feedback": [overridden()]}, timeout=10).status_code == 200
        told = requests.get(metrics, timeout=10).text
        assert requests.get(url + "/metrics", timeout=10).status_code == 404
    finally:
        assert _stop(process) == 0
    assert 'cds_calls_total{endpoint="call",status="2xx",tenant=""} 20.0' in told
    assert 'cds_calls_total{endpoint="call",status="4xx",tenant=""} 1.0' in told
    assert 'cds_cards_total{finding="",indicator="warning",tenant=""} 20.0' in told
    reported = 'cds_feedback_total{outcome="overridden",reason="no-reason",tenant=""} 1.0'
    assert reported in told, "a report that is sent again, to whichever worker, is counted once"
    assert 'cds_verdicts_total{finding="leukopenia",tenant="",verdict="present"} 20.0' in told
    assert 'cds_call_seconds_count{endpoint="call",tenant=""} 21.0' in told
    assert "synthetic-1" not in told
