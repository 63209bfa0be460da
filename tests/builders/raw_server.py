"""Servers on loopback that misbehave as real ones do: raw sockets, so that every byte and every pause is ours."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

Behaviour = Callable[[socket.socket, threading.Event], None]


@dataclass
class RawServer:
    """What a server saw. `connections` counts those accepted, `requests` holds each request's head and body."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"


@contextmanager
def raw_server(*behaviours: Behaviour, choose: Callable[[str], Behaviour] | None = None) -> Iterator[RawServer]:
    """Serve: the n-th request is answered by the n-th behaviour, all further ones by the last.

    With `choose`, each is answered by what it chooses for the request's target (decoded).
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    seen = RawServer(listener.getsockname()[1])
    over = threading.Event()
    open_sockets: list[socket.socket] = []

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            seen.connections += 1
            open_sockets.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while request := _read_request(connection):
                seen.requests.append(request)
                if choose is not None:
                    choose(unquote(request.split(b" ", 2)[1].decode()))(connection, over)
                else:
                    behaviours[min(len(seen.requests), len(behaviours)) - 1](connection, over)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        for each in [listener, *open_sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        thread.join(2)


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(
    status: str = "200 OK",
    body: bytes = b"{}",
    headers: Sequence[str] = (),
    media_type: str = "application/fhir+json;charset=utf-8",
) -> Behaviour:
    """A proper answer, kept alive."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *headers]
    lines.append(f"Content-Length: {len(body)}")
    return sends("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def sends(data: bytes, then: Behaviour | None = None) -> Behaviour:
    """Exactly these bytes, then something else."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)
        if then:
            then(connection, over)

    return behave


def repeats(data: bytes, pause: float = 0.0, limit: int = 1_000_000) -> Behaviour:
    """The same bytes again and again, until the caller has had enough."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        for _ in range(limit):
            connection.sendall(data)
            if over.wait(pause) if pause else over.is_set():
                return

    return behave


def hangs(_: socket.socket, over: threading.Event) -> None:
    """Nothing, for ever."""
    over.wait(30)


def closes(connection: socket.socket, _: threading.Event) -> None:
    """The end of the connection."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def resets(connection: socket.socket, _: threading.Event) -> None:
    """A reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()
