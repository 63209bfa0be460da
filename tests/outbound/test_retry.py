"""One more try when the connection is lost or the server is busy, with time left; none otherwise."""

import pytest

from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import Answer, HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.outbound.scope import open_scope
from tests.builders.raw_server import Behaviour, RawServer, answer, closes, hangs, raw_server, resets, sends

BUSY = "503 Service Unavailable"


def ask(server: RawServer, client: HttpClient | None = None) -> Answer:
    allowed = AllowedServers.parse([server.base])
    scope = open_scope(client or HttpClient(), allowed, server.base, None, Deadline.after(0.5))
    return scope.get(server.base, "x/y")


@pytest.mark.parametrize(
    ("first", "status", "calls"),
    [
        (closes, 200, 2),
        (resets, 200, 2),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", closes), 200, 2),
        (answer(BUSY), 200, 2),
        (answer("500 Internal Server Error"), 500, 1),
        (answer("429 Too Many Requests"), 429, 1),
        (answer("401 Unauthorized"), 401, 1),
        (answer(BUSY, headers=["Retry-After: 120"]), 503, 1),
        (answer(BUSY, headers=["Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"]), 200, 2),
    ],
)
def test_after(first: Behaviour, status: int, calls: int) -> None:
    with raw_server(first, answer()) as server:
        assert ask(server).status == status
        assert len(server.requests) == calls


def test_a_busy_server_is_waited_for_as_long_as_it_asks() -> None:
    waited: list[float] = []
    client = HttpClient(pause=waited.append)
    with raw_server(answer(BUSY, headers=["Retry-After: 0"]), answer()) as server:
        assert ask(server, client).status == 200
    allowed = AllowedServers.parse(["http://127.0.0.1:*/fhir"])
    with raw_server(answer(BUSY, headers=["Retry-After: 1"]), answer()) as server:
        assert open_scope(client, allowed, server.base, None, Deadline.after(2)).get(server.base, "x").status == 200
    assert waited == [1.0]


def test_not_twice() -> None:
    with raw_server(answer(BUSY)) as server:
        assert ask(server).status == 503
        assert len(server.requests) == 2
    with raw_server(closes) as server:
        with pytest.raises(CallFailed):
            ask(server)
        assert len(server.requests) == 2


def test_not_when_it_hangs() -> None:
    with raw_server(hangs, answer()) as server:
        with pytest.raises(CallFailed):
            ask(server)
        assert len(server.requests) == 1


def test_a_connection_closed_while_idle_is_made_anew() -> None:
    client = HttpClient()
    with raw_server(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", closes), answer()) as server:
        assert [ask(server, client).status for _ in range(3)] == [200, 200, 200]
