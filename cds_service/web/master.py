"""The process that keeps the others: starts and replaces them, hands over to new ones on SIGHUP, lets them finish on
SIGTERM. It serves nothing itself. Knows processes and signals, nothing of what is served.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from flask import Flask
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

from cds_service.web.request_log import write_line
from cds_service.web.shared_flag import SharedFlag
from cds_service.web.worker import Worker

_PAUSE_SECONDS = 1.0
"""Before the next try, when a process that should replace another could not load."""
_HURRY_SECONDS = 2
"""How long SIGINT and SIGQUIT wait for the processes to end."""


class Generation(Protocol):
    """What one generation of processes serves; each of them loads it for itself."""

    @property
    def version(self) -> str:
        """The version of its knowledge, for the log."""
        ...

    def load(self) -> Flask:
        """The app, warmed up; called in the process that is to serve it."""
        ...

    def discard(self) -> None:
        """Told once no process will load it any more."""
        ...


class FilesRefused(Exception):
    """Files can't be used; `kind` is one of few words that say which, without a name or a path."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Operation:
    """What the master goes by.

    `check` makes the next generation of what the site's files hold now, or raises FilesRefused; `reloaded` is told of
    each reload whether it was made; `ended` is told the id of each process that has ended; `draining` is up from
    SIGTERM on, `drain_seconds` before any process stops.
    """

    check: Callable[[], Generation]
    ended: Callable[[int], None] = lambda _: None
    draining: SharedFlag = field(default_factory=SharedFlag)
    drain_seconds: float = 0.0
    reloaded: Callable[[bool], None] = lambda _: None


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's arbiter, for generations: old processes go when new ones serve, and stay when new ones can't."""

    def __init__(self, app: object, operation: Operation) -> None:
        self._operation = operation
        self._settled: Generation | None = None
        self._reload_asked = False
        self._given_up = False
        self._stop_at: float | None = None
        self._not_before = 0.0
        super().__init__(app)

    def manage_workers(self) -> None:
        """Called after every signal, and about once a second."""
        self._settle()
        if self._reload_asked and self._settled is self.app.generation:
            self._reload_asked = False
            self._reload()
        self._start_missing()
        self._dismiss()

    def spawn_worker(self) -> None:
        """Start a process; a signal to end that comes before it can listen waits for it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def worker_ended(self, worker: Worker) -> None:
        """Told of each process that has ended, whatever ended it.

        Raises:
            HaltServer: it could not load, and there never was one that could.
        """
        self._operation.ended(worker.pid)
        if worker.serving.is_up() or worker.dismissed:
            return
        self._not_before = time.monotonic() + _PAUSE_SECONDS
        if self._settled is None:
            if not self._given_up and not any(one.serving.is_up() for one in self.WORKERS.values()):
                self._given_up = True  # the others end while it halts, and are reaped then
                raise HaltServer("No worker could load.", 1)
        elif worker.generation is self.app.generation and worker.generation is not self._settled:
            self._operation.reloaded(False)
            write_line("error", "reload-failed", {"knowledgeVersion": self._settled.version})
            worker.generation.discard()
            self.app.generation = self._settled

    def handle_hup(self) -> None:
        """Reload, as soon as no other reload is under way."""
        self._reload_asked = True

    def handle_term(self) -> None:
        """Say that no more calls are wanted, wait until they come no more, and then stop; the second time at once."""
        if self._stop_at is not None or not self._operation.drain_seconds:
            self._operation.draining.put_up()
            raise StopIteration
        self._operation.draining.put_up()
        self._stop_at = time.monotonic() + self._operation.drain_seconds
        write_line("info", "draining", {"seconds": self._operation.drain_seconds})

    def handle_int(self) -> None:
        """Stop now; what is under way is cut after two seconds."""
        self.cfg.set("graceful_timeout", _HURRY_SECONDS)
        super().handle_int()

    handle_quit = handle_int

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """What came, if anything, within this time; the end of the drain counts as the signal to stop."""
        if self._stop_at is not None:
            timeout = min(timeout, self._stop_at - time.monotonic())
            if timeout <= 0:
                raise StopIteration
        signals: list[int] = super().wait_for_signals(timeout)
        return signals

    def _workers(self, generation: Generation) -> list[Worker]:
        """Its processes, the oldest first."""
        found = [worker for worker in self.WORKERS.values() if worker.generation is generation]
        return sorted(found, key=lambda worker: worker.age)

    def _settle(self) -> None:
        """A generation is settled once as many of its processes serve as are wanted."""
        wanted = self.app.generation
        workers = self._workers(wanted)
        if self._settled is wanted or len(workers) < self.num_workers:
            return
        if all(worker.serving.is_up() for worker in workers):
            if (before := self._settled) is not None:
                told = {"knowledgeVersion": wanted.version, "previousKnowledgeVersion": before.version}
                self._operation.reloaded(True)
                write_line("info", "reloaded", told)
                before.discard()
            self._settled = wanted

    def _reload(self) -> None:
        try:
            self.app.generation = self._operation.check()
        except FilesRefused as refused:
            told = {"files": refused.kind, "knowledgeVersion": self.app.generation.version}
            self._operation.reloaded(False)
            write_line("error", "reload-refused", told)

    def _start_missing(self) -> None:
        for _ in range(self.num_workers - len(self._workers(self.app.generation))):
            if time.monotonic() >= self._not_before:
                self.spawn_worker()

    def _dismiss(self) -> None:
        """Those of an older generation, and those too many, once the newest one serves."""
        if self._settled is not self.app.generation:
            return
        kept = self._workers(self._settled)[-self.num_workers :]
        for worker in list(self.WORKERS.values()):
            if worker not in kept and not worker.dismissed:
                worker.dismissed = True
                self.kill_worker(worker.pid, signal.SIGTERM)
