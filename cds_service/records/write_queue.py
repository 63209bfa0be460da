"""Rows that are written behind the answers, many at once, by one thread of the process. Knows no table and no SQL.

A row stays in the queue until it is written, so that a database that is gone for a while costs no row. There is an end
to that: a queue that is full says so, and whoever brings a row writes it himself.
"""

import atexit
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from threading import Condition, Thread
from typing import Generic, TypeVar

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.database import RowRefused
from cds_service.records.forks import in_each_child

T = TypeVar("T")
GATHER_SECONDS = 0.2
"""How long a row waits for others to be written with it."""
AT_ONCE = 50
"""As many are written without waiting for more: a long batch would hold up the calls beside it."""
CAPACITY = 2000
"""Rows that wait at most in one process; some 3 MB."""
_RETRY_SECONDS = 2.0
_IDLE_SECONDS = 10.0
_EXIT_SECONDS = 10.0


class WriteQueue(Generic[T]):
    """Takes rows from many threads; one thread writes them in the order they came.

    The thread is made when it is needed, by the process that needs it. What is waiting when the process ends is
    written first. A row that the database refuses is lost alone, not those that came with it.
    """

    def __init__(
        self, write: Callable[[Sequence[T]], None], lost: Callable[[Sequence[T]], None], capacity: int = CAPACITY
    ) -> None:
        """Make ready.

        Args:
            write: keeps all rows or none. StoreUnavailable: they are tried again later; RowRefused, or anything else:
                one of them can never be kept.
            lost: told which rows will never be written.
            capacity: how many rows may wait.
        """
        self._write = write
        self._lost = lost
        self._capacity = capacity
        self._begin()
        in_each_child(self._begin)
        _at_exit(self.close)

    def _begin(self) -> None:
        """Empty and without a thread; what a parent has taken, the parent writes."""
        self._changed = Condition()
        self._rows: deque[T] = deque()
        self._settled = self._wanted = self._failures = 0
        self._failing = self._closing = False
        self._writer: Thread | None = None

    def put(self, rows: Sequence[T]) -> bool:
        """Take them all, or none where there is no room or nobody to write them."""
        with self._changed:
            if self._closing or len(self._rows) + len(rows) > self._capacity or not self._has_writer():
                return False
            was_empty = not self._rows
            self._rows.extend(rows)
            if was_empty or len(self._rows) >= AT_ONCE:
                self._changed.notify_all()
        return True

    def flush(self, seconds: float) -> bool:
        """Have written what is waiting now; whether it is. Gives up when the database fails, or the time is over."""
        with self._changed:
            if not self._rows:
                return True
            wanted, failures = self._settled + len(self._rows), self._failures
            self._wanted = wanted
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled >= wanted or self._failures > failures, seconds)
            return self._settled >= wanted

    def close(self, seconds: float = _EXIT_SECONDS) -> None:
        """Take no more, and write what is waiting, however often it fails, until the time is over; the rest is lost."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._rows, seconds)
            left = list(self._rows)
            self._rows.clear()
        if left:
            self._tell_lost(left)

    def _has_writer(self) -> bool:
        if self._writer is None:
            writer = Thread(target=self._work, name="records-behind", daemon=True)
            with suppress(RuntimeError):  # no more threads can be had
                writer.start()
                self._writer = writer
        return self._writer is not None

    def _work(self) -> None:
        while batch := self._next_batch():
            failed = not self._settle(batch)
            with self._changed:
                self._failing = failed
                if failed:
                    self._failures, self._wanted = self._failures + 1, 0
                self._changed.notify_all()

    def _next_batch(self) -> Sequence[T]:
        """The first rows, once others had time to join them; none: nothing to do for a while, the thread ends."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._rows, _IDLE_SECONDS):
                self._writer = None
                return ()
            if not self._failing:
                self._changed.wait_for(self._is_pressed, GATHER_SECONDS)
            elif self._closing:
                self._changed.wait(GATHER_SECONDS)
            else:
                self._changed.wait_for(lambda: self._wanted > self._settled or self._closing, _RETRY_SECONDS)
            return list(islice(self._rows, AT_ONCE))

    def _is_pressed(self) -> bool:
        return self._closing or self._wanted > self._settled or len(self._rows) >= AT_ONCE

    def _settle(self, batch: Sequence[T]) -> bool:
        """Write a batch, or its halves where a row is refused; false: the database fails, and the rest waits."""
        try:
            self._write(batch)
        except Exception as error:  # whatever it is, those that come after must be written
            if isinstance(error, StoreUnavailable) and not isinstance(error, RowRefused):
                return False
            if len(batch) > 1:
                half = len(batch) // 2
                return self._settle(batch[:half]) and self._settle(batch[half:])
            self._tell_lost(batch)
        with self._changed:
            for _ in batch[: len(self._rows)]:
                self._rows.popleft()
            self._settled += len(batch)
        return True

    def _tell_lost(self, rows: Sequence[T]) -> None:
        with suppress(Exception):  # who is told must not keep the next rows from being written
            self._lost(rows)


def _at_exit(close: Callable[[], None]) -> None:
    known = weakref.WeakMethod(close)

    def call() -> None:
        if (still_known := known()) is not None:
            still_known()

    atexit.register(call)
