"""nginx as shipped before one worker that answers one call at a time: who sends or reads slowly, or too often, or too
much, is dealt with by nginx, and holds up nobody.
"""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from cds_service.settings import Settings
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import SERVICE, valid_call
from tests.builders.gateway import Gateway, gateway
from tests.builders.raw_server import answer, raw_server
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
BODY = json.dumps(valid_call()).encode()
JSON = {"Content-Type": "application/json"}
HEAD = f"POST {SERVICE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
IMPATIENT = [
    ("client_header_timeout       10s", "client_header_timeout 1s"),
    ("client_body_timeout         10s", "client_body_timeout 1s"),
]
OTHERS = [f"127.0.0.{number}" for number in range(2, 9)]
"""Addresses of this machine's own, so that no limit by address stands between a hundred slow senders of each."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(
        tmp_path_factory.mktemp("service"), "--workers", "1", "--threads", "1", CDS_AUTH="off", CDS_AUDIT="off"
    ) as served:
        yield served


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, service: Served) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway"), _address(service)) as running:
        yield running


def _address(service: Served) -> str:
    return service.url.removeprefix("http://")


def _call(gateway: Gateway, body: bytes = BODY, **options: object) -> requests.Response:
    return requests.post(
        gateway.url + SERVICE, data=body, headers=JSON, verify=gateway.trusted, timeout=30, **options  # type: ignore[arg-type]
    )  # fmt: skip


def _refused(refusal: requests.Response, status: int, code: str) -> None:
    assert refusal.status_code == status, refusal.text
    assert refusal.headers["Content-Type"] == "application/fhir+json"
    assert refusal.headers["Cache-Control"] == "no-store"
    assert_operation_outcome(refusal.json())
    assert refusal.json()["issue"][0]["code"] == code


def test_the_largest_body_that_the_service_takes_is_passed_on(shipped: Gateway) -> None:
    largest = BODY + b" " * (Settings.model_fields["max_body_bytes"].default - len(BODY))
    passed = _call(shipped, largest)
    assert passed.status_code == 200, passed.text
    assert_response_conforms(passed.json())


def test_a_byte_more_is_refused_before_it_is_sent_and_in_chunks(shipped: Gateway, service: Served) -> None:
    heard, limit = len(service.lines), Settings.model_fields["max_body_bytes"].default
    _refused(_call(shipped, b" " * (limit + 1)), 413, "too-long")
    with shipped.connect() as connection:
        connection.sendall(HEAD + f"Connection: close\r\nContent-Length: {limit + 1}\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 413", "nothing of the body was sent"
    with shipped.connect() as connection:
        connection.sendall(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(f"{limit + 1:x}\r\n ".encode())
        assert connection.recv(12) == b"HTTP/1.1 413"
    assert len(service.lines) == heard


@pytest.mark.parametrize(
    "sent", [HEAD, HEAD + b"Content-Length: 100\r\n\r\n{", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"],
    ids=["half a head", "half a body", "half a chunk"],
)  # fmt: skip
def test_who_stops_sending_is_cut_off_and_the_service_never_hears_of_it(tmp_path: Path, sent: bytes) -> None:
    with raw_server(answer()) as service, gateway(tmp_path, f"127.0.0.1:{service.port}", changes=IMPATIENT) as running:
        with running.connect() as connection:
            connection.sendall(sent)
            assert _all_of(connection) == b"", "closed"
        assert service.connections == 0


def test_seven_hundred_half_sent_requests_hold_up_no_call(shipped: Gateway, service: Served) -> None:
    """Without nginx's buffering the worker would wait for 241 of them, and take nothing else."""
    heard = len(service.lines)
    with ExitStack() as stack:
        for number in range(700):
            slow = stack.enter_context(shipped.connect(OTHERS[number % len(OTHERS)]))
            half = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:50]
            slow.sendall(HEAD if number % 2 else half)
        assert [_call(shipped).status_code for _ in range(3)] == [200] * 3
        assert len(service.lines) == heard + 3


def test_who_reads_slowly_is_waited_for_by_nginx_alone(tmp_path: Path) -> None:
    """The service has got rid of its whole answer before the client has read a byte."""
    taken, whole = threading.Event(), b"x" * 900_000

    def send_all(connection: socket.socket, _: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode() + whole)
        taken.set()

    with (
        raw_server(send_all) as service,
        gateway(tmp_path, f"127.0.0.1:{service.port}", send_buffer=16_384) as running,
        socket.socket() as raw,
    ):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        raw.connect(("127.0.0.1", running.port))
        context = ssl.create_default_context(cafile=running.trusted)
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(b"GET /about HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert taken.wait(20)
            assert _all_of(connection).endswith(whole), "and then reads it all the same"


def _all_of(connection: ssl.SSLSocket) -> bytes:
    came = bytearray()
    try:
        while chunk := connection.recv(65536):
            came += chunk
    except (ConnectionResetError, ssl.SSLEOFError):
        pass
    return bytes(came)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, service: Served) -> Iterator[Gateway]:
    """Four calls of an address, and no more for a long time; one EHR that calls from a browser is known."""
    changes = [
        ("rate=100r/s", "rate=1r/m"),
        ("burst=200", "burst=3"),
        ('# "https://ehr.example.org"', '"https://ehr.example.org"'),
    ]
    with gateway(tmp_path_factory.mktemp("strict"), _address(service), changes=changes) as running:
        yield running


def test_one_call_too_many_of_an_address_is_told_to_come_back(strict: Gateway) -> None:
    assert [_call(strict).status_code for _ in range(4)] == [200] * 4
    refused = _call(strict)
    _refused(refused, 429, "throttled")
    assert refused.headers["Retry-After"] == "1"
    assert "Access-Control-Allow-Origin" not in refused.headers
    with strict.connect("127.0.0.2") as elsewhere:
        elsewhere.sendall(HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        assert elsewhere.recv(12) == b"HTTP/1.1 200", "another address has a count of its own"


@pytest.mark.parametrize(("origin", "shared"), [("https://ehr.example.org", True), ("https://evil.example", False)])
def test_a_browser_may_read_the_refusal_where_its_origin_is_allowed(strict: Gateway, origin: str, shared: bool) -> None:
    for _ in range(5):
        refused = requests.get(strict.url + "/about", headers={"Origin": origin}, verify=strict.trusted, timeout=30)
    _refused(refused, 429, "throttled")
    assert refused.headers.get("Access-Control-Allow-Origin") == (origin if shared else None)


def test_a_call_under_way_counts_against_its_address(tmp_path: Path) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def wait(connection: socket.socket, _: threading.Event) -> None:
        arrived.set()
        go_on.wait(30)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with (
        raw_server(wait) as service,
        gateway(tmp_path, f"127.0.0.1:{service.port}", changes=[("under_way 200", "under_way 1")]) as running,
        running.connect() as first,
    ):
        first.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert arrived.wait(20)
        _refused(_call(running), 429, "throttled")
        go_on.set()
        assert first.recv(12) == b"HTTP/1.1 200"
