"""The production server: gunicorn as a library, with threads. Knows HTTP connections, nothing of what is served."""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from select import select
from socket import AF_INET, AF_INET6, SHUT_RD, create_server, socket
from tempfile import mkdtemp
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import Flask
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from cds_service.web.allocator import use_one_heap
from cds_service.web.errors import operation_outcome
from cds_service.web.library_logs import listen_to_warnings_and_threads
from cds_service.web.request_log import write_line
from cds_service.web.security import PROTECTION

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_SECONDS = 30.0
"""How long a client may take to send one request; what is not here by then is not read."""
SENDERS = 240
"""Connections of one process that may be waited for beside the calls being answered: a waiting thread costs little."""


@dataclass(frozen=True)
class Listen:
    """Where and how wide to listen; port 0 takes a free one. `threads` is how many calls a process answers at once."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 16


class AddressTaken(Exception):
    """The address can't be listened on; the message is one line for the operator."""


def check_address(listen: Listen) -> None:
    """Find out before anything is started; gunicorn would try for five seconds.

    Raises:
        AddressTaken: another program listens there, or the address isn't this machine's.
    """
    try:
        with create_server((listen.host, listen.port), family=AF_INET6 if ":" in listen.host else AF_INET):
            return
    except OSError as error:
        raise AddressTaken(f"{listen.host}:{listen.port} can't be listened on: {error.strerror}.") from None


def run_server(app: Flask, listen: Listen, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain; ends the process.

    Args:
        app: made before the workers are forked, so that they share it and its one start; it must not hold open
            connections yet.
        listen: where to listen.
        ready: told the URL once the first worker serves.
    """
    use_one_heap()
    wsgi.Response = _Response
    listen_to_warnings_and_threads()
    gc.freeze()  # what is there now stays: no worker need look through it, or copy it, ever again
    _Server(app, _options(listen, ready)).run()


@contextmanager
def shared_counts() -> Iterator[None]:
    """A directory in which the server's processes keep their counts, told to prometheus_client before its import."""
    folder, owner = mkdtemp(prefix="cds-service-"), os.getpid()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        yield
    finally:
        if os.getpid() == owner:  # workers, too, come by here when they end
            shutil.rmtree(folder, ignore_errors=True)


def _options(listen: Listen, ready: Callable[[str], None]) -> dict[str, object]:
    def announce(worker: "Worker") -> None:
        if worker.age == 1:
            host, port = worker.sockets[0].getsockname()[:2]
            ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    return {
        "bind": f"[{listen.host}]:{listen.port}" if ":" in listen.host else f"{listen.host}:{listen.port}",
        "workers": listen.workers,
        "threads": listen.threads,
        "worker_class": Worker,
        "preload_app": True,
        "loglevel": "warning",
        "logger_class": _Log,
        "control_socket_disable": True,
        "forwarded_allow_ips": "",  # nothing here depends on whom or how a gateway was called
        "forwarder_headers": "",
        "post_worker_init": announce,
    }


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, options: dict[str, object]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> "WSGIApplication":
        return _Places(self._app, int(self.cfg.threads))


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's lines, sent where those of all libraries go."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Response(wsgi.Response):  # type: ignore[misc]
    """An answer that doesn't say what software gave it."""

    def default_headers(self) -> list[str]:
        return [header for header in super().default_headers() if not header.startswith("Server:")]


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
        self._deadlines: dict[TConn, float] = {}

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Threads for the calls being answered and for all whose request is still to come."""
        return ThreadPoolExecutor(max_workers=self.cfg.threads + SENDERS)

    def set_accept_enabled(self, enabled: bool) -> None:
        """On the way out take those who are connected already, then close: later ones are refused, not cut off."""
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            for _ in range(self.cfg.backlog):  # as many as can have waited: those who keep coming are not waited for
                if not select([listener], [], [], 0)[0]:
                    break
                self.accept(listener)
            listener.close()

    def handle(self, conn: TConn) -> object:
        """Serve one request of a connection, in a thread of the pool."""
        self._deadlines[conn] = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

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


_ERROR_HEADERS = "".join(
    f"{name}: {value}\r\n"
    for name, value in {**PROTECTION, "Content-Type": "application/fhir+json", "Cache-Control": "no-store"}.items()
)
_HTTP_ERRORS = {
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    UnsupportedTransferCoding: (501, "Not Implemented"),
}


def _stop_reading(sock: socket) -> None:
    try:
        sock.shutdown(SHUT_RD)
    except OSError:
        return
