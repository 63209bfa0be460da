"""One process that answers calls: gunicorn's threaded worker, that nobody who sends slowly can hold.

Knows HTTP connections, nothing of what is served.
"""

import gc
import signal
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from select import POLLIN, poll, select
from selectors import EVENT_READ
from socket import SHUT_RD, socket
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import Flask
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from cds_service.web.errors import operation_outcome
from cds_service.web.request_log import write_line
from cds_service.web.security import PROTECTION
from cds_service.web.shared_flag import SharedFlag

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

HEAD_SECONDS = 5.0
"""How long a connection may be without a whole head of a request; it is closed then."""
HEAD_BYTES = 65_536
"""A head is looked at when so much of it is here, whole or not; gunicorn takes less."""
REQUEST_SECONDS = 30.0
"""How long a client may take to send the rest; what is not here by then is not read."""
MOMENT_SECONDS = 0.01
"""How long a thread that answered stays with its connection: a request that comes upon it changes no thread."""
SENDERS = 240
"""Connections of one process that may be waited for beside the calls being answered: a waiting thread costs little."""


class Response(wsgi.Response):  # type: ignore[misc]
    """An answer that doesn't say what software gave it, its head and its body sent as one."""

    headers_sent: bool
    _head = b""

    def default_headers(self) -> list[str]:
        """As they are, but one."""
        return [header for header in super().default_headers() if not header.startswith("Server:")]

    def send_headers(self) -> None:
        """Keep the head until something of the body is there."""
        if not self.headers_sent and not self.chunked:
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True
        super().send_headers()

    def _emit_body(self, data: bytes) -> None:
        head, self._head = self._head, b""
        super()._emit_body(head + data)

    def close(self) -> None:
        """Send what has no body."""
        super().close()
        if self._head:
            self._emit_body(b"")


class _Places:
    """The app, working on so many calls at once; a call that waits for its body gives its place to others."""

    def __init__(self, app: Flask, places: int) -> None:
        self._app = app
        self._places = BoundedSemaphore(places)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._places)
        with self._places:
            return self._app(environ, start_response)


class _Body:
    """A request's body; nobody holds a place while reading it, so that those who send slowly stop no one else."""

    def __init__(self, body: "InputStream", places: BoundedSemaphore) -> None:
        self._body = body
        self._places = places

    def read(self, size: int = -1) -> bytes:
        self._places.release()
        try:
            return self._body.read(size)
        finally:
            self._places.acquire()


class Worker(ThreadWorker):  # type: ignore[misc]
    """A threaded worker that no slow sender can hold, and that answers a broken request without repeating it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.generation = self.app.generation
        self.serving = SharedFlag()
        self.dismissed = False
        self._door_closed = False
        self._deadlines: dict[TConn, float] = {}

    def init_signals(self) -> None:
        """Heed the signals to end, the one that came meanwhile as well; a reload is the master's."""
        super().init_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def load_wsgi(self) -> None:
        """Load what is served; what is there then stays: the collector need not look through it ever again."""
        try:
            self.wsgi = _Places(self.generation.load(), self.cfg.threads)
        except Exception as error:
            write_line("error", "worker-not-started", {"error": type(error).__name__})
            sys.exit(1)
        gc.collect()
        gc.freeze()
        self.serving.put_up()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Threads for the calls being answered and for all whose request is still to come."""
        return ThreadPoolExecutor(max_workers=self.cfg.threads + SENDERS)

    def set_accept_enabled(self, enabled: bool) -> None:
        """On the way out take those who are connected already, then close: later ones are refused, not cut off."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive or self._door_closed:
            return
        self._door_closed = True
        for listener in self.sockets:
            for _ in range(self.cfg.backlog):  # as many as can have waited: those who keep coming are not waited for
                if not select([listener], [], [], 0)[0]:
                    break
                self.accept(listener)
            listener.close()

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a request's head, which takes no thread; only a whole one is given to the pool."""
        conn.head = bytearray(conn.parser.unreader.take_buffered() if conn.initialized else b"")
        conn.sock.setblocking(False)
        if _HEAD_END in conn.head or _read_head(conn):
            self._pass_on(conn)
            return
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: socket) -> None:
        """More of a head is here."""
        if _read_head(conn):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self._pass_on(conn)

    def _pass_on(self, conn: TConn) -> None:
        """To a thread that works on it; a connection that ended without a word is closed."""
        if not conn.head:
            self.nr_conns -= 1
            conn.close()
            return
        conn.init()
        conn.parser.unreader.unread(bytes(conn.head))
        conn.data_ready = True
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> object:
        """Serve the requests of a connection that come one upon the other, in a thread of the pool."""
        while kept := self._serve(conn):
            if not self._goes_on(conn):
                break
        return kept

    def _serve(self, conn: TConn) -> object:
        self._deadlines[conn] = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Whether the connection is kept; gunicorn looks twice for a rest of the body, where there can be none, too."""
        if keepalive and getattr(conn.parser.mesg.body.reader, "length", None) == 0:
            conn.parser.mesg = None
            return True
        kept: bool = super()._keepalive_after(conn, keepalive)
        return kept

    def _goes_on(self, conn: TConn) -> bool:
        """Whether the head of the next request comes in a moment, with threads enough for all who are connected.

        What comes of it stays with the connection, for whoever goes on with it.
        """
        if not self.alive or self.nr_conns > self.cfg.threads + SENDERS or conn.parser.unreader.buf.tell():
            return False
        moment = poll()
        moment.register(conn.sock, POLLIN)
        if not moment.poll(MOMENT_SECONDS * 1000):
            return False
        conn.head = bytearray()
        whole = _read_head(conn)
        conn.parser.unreader.unread(bytes(conn.head))
        return whole

    def murder_pending(self) -> None:
        """Called about once a second: end the reading of requests that take too long; an answer can still be sent."""
        super().murder_pending()
        now = time.monotonic()
        for conn, deadline in list(self._deadlines.items()):
            if deadline < now:
                self._deadlines.pop(conn, None)
                _stop_reading(conn.sock)

    def handle_error(self, req: object, client: socket, addr: object, exc: Exception) -> None:  # noqa: ARG002
        """Answer what is no HTTP; gunicorn's own answer and log line would repeat parts of the request."""
        status, reason = _HTTP_ERRORS.get(type(exc), (400, "Bad Request"))
        if not isinstance(exc, ParseException):
            status, reason = 500, "Internal Server Error"
        write_line("warning", "no-http-request", {"status": status, "error": type(exc).__name__})
        body = operation_outcome("invalid" if status < 500 else "exception", f"The HTTP request failed: {reason}.")
        head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n{_ERROR_HEADERS}Content-Length: {len(body)}\r\n\r\n"
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            return


_HEAD_END = b"\r\n\r\n"
_ERROR_HEADERS = "".join(
    f"{name}: {value}\r\n"
    for name, value in {**PROTECTION, "Content-Type": "application/fhir+json", "Cache-Control": "no-store"}.items()
)
_HTTP_ERRORS = {
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    UnsupportedTransferCoding: (501, "Not Implemented"),
}


def _read_head(conn: TConn) -> bool:
    """Take what is here of a request's head; whether it is whole, too long, or ends there, for a parser to judge."""
    try:
        came = conn.sock.recv(HEAD_BYTES)
    except BlockingIOError:
        return False
    except OSError:
        came = b""
    conn.head += came
    return not came or len(conn.head) >= HEAD_BYTES or conn.head.find(_HEAD_END, -len(came) - len(_HEAD_END)) >= 0


def _stop_reading(sock: socket) -> None:
    try:
        sock.shutdown(SHUT_RD)
    except OSError:
        return
