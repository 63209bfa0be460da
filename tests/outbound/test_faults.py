"""What servers do wrong, and that each costs no more than the deadline and gives its reason."""

import socket
import threading
import time
from statistics import median

import pytest

from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.outbound.scope import Scope, open_scope
from tests.builders.raw_server import Behaviour, answer, closes, hangs, raw_server, repeats, resets, sends

SECONDS = 0.4
GENEROUS = 10.0
"""For what must be noticed long before any deadline."""
BOUND = 5.0
"""Only a deadline that doesn't hold takes longer: these servers never end by themselves."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def scope(base: str, seconds: float = SECONDS, client: HttpClient | None = None) -> Scope:
    client = client or HttpClient(OutboundSettings(max_body_bytes=1_000_000))
    return open_scope(client, AllowedServers.parse([base]), base, None, Deadline.after(seconds))


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "never answers": (hangs, "timeout"),
    "drips its status line": (repeats(b"H", pause=0.05), "timeout"),
    "drips its header": (sends(HEAD, repeats(b"X-A: b\r\n", pause=0.05)), "timeout"),
    "drips its body": (sends(HEAD + b"Content-Length: 100000\r\n\r\n", repeats(b"x", pause=0.05)), "timeout"),
    "drips chunks": (sends(CHUNKED, repeats(b"1\r\nx\r\n", pause=0.05)), "timeout"),
    "drips a chunk's length": (sends(CHUNKED, repeats(b"0", pause=0.05)), "timeout"),
    "says continue for ever": (repeats(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05), "timeout"),
    "stops in the body": (sends(HEAD + b"Content-Length: 10\r\n\r\n{", hangs), "timeout"),
    "sends endless headers": (sends(HEAD, repeats(b"X-A: b\r\n")), "connection-lost"),
    "closes without an answer": (closes, "connection-lost"),
    "resets": (resets, "connection-lost"),
    "resets in the body": (sends(HEAD + b"Content-Length: 10\r\n\r\n{", resets), "connection-lost"),
    "cuts its body short": (sends(HEAD + b"Content-Length: 10\r\n\r\n{", closes), "connection-lost"),
    "cuts a chunk short": (sends(CHUNKED + b"5\r\nab", closes), "connection-lost"),
    "doesn't speak HTTP": (sends(b"220 smtp ready\r\n\r\n", closes), "connection-lost"),
    "sends 100 MB": (sends(HEAD + b"Content-Length: 100000000\r\n\r\n", repeats(b"x" * 65536)), "too-large"),
    "announces 100 MB": (sends(HEAD + b"Content-Length: 100000000\r\n\r\n", hangs), "too-large"),
    "sends chunks without end": (
        sends(CHUNKED, repeats(b"10000\r\n" + b"x" * 65536 + b"\r\n")),
        "too-large",
    ),
    "sends a body without end": (sends(HEAD + b"Connection: close\r\n\r\n", repeats(b"x" * 65536)), "too-large"),
    "compresses unasked": (answer(headers=["Content-Encoding: gzip"]), "encoded"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that(fault: str) -> None:
    behaviour, reason = FAULTS[fault]
    with raw_server(behaviour) as server:
        started = time.monotonic()
        asked = scope(server.base, SECONDS if reason == "timeout" else GENEROUS)
        with pytest.raises(CallFailed) as failed:
            asked.get(server.base + "/Observation?patient=secret-id", "application/fhir+json")
        assert failed.value.reason == reason
        assert "secret" not in repr(failed.value)
        assert failed.value.__cause__ is None
        assert failed.value.__suppress_context__ or failed.value.__context__ is None
    assert time.monotonic() - started < BOUND


def test_a_server_that_drips_and_then_hangs_gets_no_second_time_out() -> None:
    dripping = repeats(b"x", pause=0.05, limit=36)

    def drips_then_hangs(connection: socket.socket, over: threading.Event) -> None:
        dripping(connection, over)
        hangs(connection, over)

    with raw_server(sends(HEAD + b"Content-Length: 1000\r\n\r\n", drips_then_hangs)) as server:
        started = time.monotonic()
        with pytest.raises(CallFailed):
            scope(server.base, seconds=2.0).get(server.base, "x/y")
        assert time.monotonic() - started < 3.5  # 1.8 and a second time-out of 2 otherwise


def test_a_server_that_is_not_there() -> None:
    with raw_server(hangs) as server:
        base = server.base
    with pytest.raises(CallFailed) as failed:
        scope(base).get(base, "x/y")
    assert failed.value.reason == "not-reached"


def test_no_time_left_means_no_connection() -> None:
    with raw_server(answer()) as server:
        with pytest.raises(CallFailed) as failed:
            scope(server.base, seconds=0).get(server.base, "x/y")
        assert failed.value.reason == "timeout"
        assert server.connections == 0


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    client = HttpClient(OutboundSettings(max_body_bytes=1000))
    with raw_server(answer(body=b"x" * 1000), answer(body=b"x" * 1001)) as server:
        assert len(scope(server.base, client=client).get(server.base, "x/y").body) == 1000
        with pytest.raises(CallFailed) as failed:
            scope(server.base, client=client).get(server.base, "x/y")
        assert failed.value.reason == "too-large"


def test_what_was_left_unread_is_never_the_next_answer() -> None:
    client = HttpClient(OutboundSettings(max_body_bytes=1000))
    with raw_server(answer(body=b"x" * 5_000_000), answer(body=b'{"fresh": true}')) as server:
        with pytest.raises(CallFailed):
            scope(server.base, client=client).get(server.base, "x/y")
        assert scope(server.base, client=client).get(server.base, "x/y").body == b'{"fresh": true}'
        assert server.connections == 2


def test_connections_are_kept_for_the_next_call() -> None:
    client = HttpClient()
    with raw_server(answer("404 Not Found"), answer()) as server:
        for _ in range(5):
            scope(server.base, client=client).get(server.base, "x/y")
        assert (server.connections, len(server.requests)) == (1, 5)


def test_a_hanging_server_holds_up_no_other() -> None:
    client = HttpClient()
    reasons: list[str] = []

    def wait_for(base: str) -> None:
        with pytest.raises(CallFailed) as failed:
            scope(base, 60, client).get(base, "x/y")
        reasons.append(failed.value.reason)

    with raw_server(answer()) as alive, raw_server(hangs) as dead:
        threads = [threading.Thread(target=wait_for, args=(dead.base,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            scope(alive.base, GENEROUS, client).get(alive.base, "x/y")
        assert not reasons, "the others still wait"
    for thread in threads:
        thread.join(30)
    assert len(reasons) == 6


def test_a_server_that_writes_head_and_body_apart_costs_no_delayed_acknowledgement() -> None:
    client = HttpClient()
    body = b"x" * 50_000
    apart = sends(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode(), sends(body))
    with raw_server(apart) as server:
        took = []
        for _ in range(60):
            started = time.monotonic()
            scope(server.base, GENEROUS, client).get(server.base, "x/y")
            took.append(time.monotonic() - started)
        assert median(took) < 0.035  # 40 ms each otherwise, once the connection is warm
