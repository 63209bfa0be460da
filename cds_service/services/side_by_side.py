"""Several fetches at once, and none waited for beyond the deadline. Knows threads, not what is fetched."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from cds_service.fhir_reading.server import Fetched
from cds_service.outbound.deadline import Deadline

_LATE = Fetched(complete=False, failed=True, reason="timeout")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Timed:
    """What a fetch gave, and how many milliseconds after the call's first fetch began."""

    fetched: Fetched
    milliseconds: float


@dataclass(frozen=True)
class SideBySide:
    """The threads of one call, begun at `started` (seconds of the deadline's clock)."""

    threads: ThreadPoolExecutor
    deadline: Deadline
    started: float

    def begin(self, tasks: Mapping[_Key, Callable[[], Fetched]]) -> dict[_Key, Future[Timed]]:
        """Start these fetches."""
        return {key: self.threads.submit(self._timed, task) for key, task in tasks.items()}

    def results(self, running: Mapping[_Key, Future[Timed]]) -> dict[_Key, Timed]:
        """What they gave; what isn't done by the deadline counts as failed."""
        wait(running.values(), timeout=self.deadline.remaining())
        late = Timed(_LATE, self.milliseconds())
        return {key: future.result() if future.done() else late for key, future in running.items()}

    def milliseconds(self) -> float:
        """Since the start."""
        return round((self.deadline.clock() - self.started) * 1000, 1)

    def _timed(self, task: Callable[[], Fetched]) -> Timed:
        return Timed(task(), self.milliseconds())


@contextmanager
def side_by_side(deadline: Deadline, at_most: int) -> Iterator[SideBySide]:
    """Threads for one call; those still busy in the end are let go, and end with their own deadline."""
    threads = ThreadPoolExecutor(max_workers=at_most, thread_name_prefix="gathering")
    try:
        yield SideBySide(threads, deadline, deadline.clock())
    finally:
        threads.shutdown(wait=False)
