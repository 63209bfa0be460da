"""Work that a call doesn't wait for longer than so long, whatever holds it up. Knows no table.

A database has timeouts of its own, but they don't hold for all: a name that isn't resolved, a connection that isn't
answered, a disk that hangs. So the work is done by another thread, which the call leaves behind when its time is up.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import TypeVar

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.forks import in_each_child

T = TypeVar("T")
_THREADS = 16
_LATE = "The database did not answer in time."


class Hurry:
    """Does work within a time. After it was late once, it isn't tried again for a while: calls don't pay twice.

    Threads are made when needed, by the process that needs them.
    """

    def __init__(self, seconds: float, rest_seconds: float = 2.0) -> None:
        self._seconds = seconds
        self._rest_seconds = rest_seconds
        self._rests_until = 0.0
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None
        in_each_child(self.forget_threads)

    def __call__(self, work: Callable[[], T]) -> T:
        """Do it.

        Raises:
            StoreUnavailable: it took too long (it may yet be done), or something did just before.
        """
        if monotonic() < self._rests_until:
            raise StoreUnavailable(_LATE)
        doing = self._threads().submit(work)
        try:
            return doing.result(self._seconds)
        except TimeoutError:
            doing.cancel()
            self._rests_until = monotonic() + self._rest_seconds
            raise StoreUnavailable(_LATE) from None

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="records")
            return self._pool

    def forget_threads(self) -> None:
        """A fork takes no thread with it, and perhaps a lock that nobody would ever give back."""
        self._pool, self._lock = None, Lock()
