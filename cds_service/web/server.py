"""The production server: gunicorn as a library, with threads. Knows HTTP connections, nothing of what is served."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server
from tempfile import mkdtemp

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from cds_service.web.allocator import keep_one_heap
from cds_service.web.library_logs import listen_to_warnings_and_threads
from cds_service.web.master import Generation, Master, Operation
from cds_service.web.worker import REQUEST_SECONDS, Response, Worker


@dataclass(frozen=True)
class Listen:
    """Where and how wide to listen; port 0 takes a free one. `threads` is how many calls a process answers at once."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 16
    longest_call: float = 2.0
    """Seconds that a call may take beyond its sending: so much longer than it are calls in flight waited for."""


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


def run_server(first: Generation, operation: Operation, listen: Listen, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain; ends the process.

    Args:
        first: loaded by the first processes. What the program has imported and made by now they share.
        operation: how to reload, and how to stop.
        listen: where to listen.
        ready: told the URL once the first worker serves.
    """
    keep_one_heap()
    wsgi.Response = Response
    listen_to_warnings_and_threads()
    gc.enable()
    gc.freeze()  # what is there now stays: no process need look through it, or copy it, ever again
    _Server(first, operation, _options(listen, ready)).run()


@contextmanager
def private_folder() -> Iterator[Path]:
    """A directory of this run of the server, which its processes share; readable for nobody else, gone afterwards.

    In `counts` they keep their counts, which prometheus_client is told before its import.
    """
    folder, owner = Path(mkdtemp(prefix="cds-service-")), os.getpid()
    (folder / "counts").mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "counts")
    try:
        yield folder
    finally:
        if os.getpid() == owner:  # workers, too, come by here when they end
            os.environ.pop("PROMETHEUS_MULTIPROC_DIR")
            shutil.rmtree(folder, ignore_errors=True)


def _options(listen: Listen, ready: Callable[[str], None]) -> dict[str, object]:
    def announce(worker: Worker) -> None:
        if worker.age == 1:
            host, port = worker.sockets[0].getsockname()[:2]
            ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    return {
        "bind": f"[{listen.host}]:{listen.port}" if ":" in listen.host else f"{listen.host}:{listen.port}",
        "workers": listen.workers,
        "threads": listen.threads,
        "worker_class": Worker,
        "graceful_timeout": round(REQUEST_SECONDS + listen.longest_call),
        "loglevel": "warning",
        "logger_class": _Log,
        "control_socket_disable": True,
        "sendfile": False,  # it would go before the head, which is sent with the body
        "forwarded_allow_ips": "",  # nothing here depends on whom or how a gateway was called
        "forwarder_headers": "",
        "post_worker_init": announce,
        "child_exit": lambda master, worker: master.worker_ended(worker),
    }


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, first: Generation, operation: Operation, options: dict[str, object]) -> None:
        self.generation = first
        self._operation = operation
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        Master(self, self._operation).run()


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's lines, sent where those of all libraries go."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
