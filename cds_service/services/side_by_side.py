"""Several fetches at once, and none waited for beyond the deadline. Knows threads, not what is fetched."""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TypeVar

from cds_service.fhir_reading.server import Fetched
from cds_service.outbound.deadline import Deadline

_LATE = Fetched(complete=False, failed=True, reason="timeout")
_Key = TypeVar("_Key", bound=Hashable)
# Kept from call to call: starting seven threads would be a tenth of a call. There are more than all calls of a process
# can ask for at once, so that a server which hangs holds up no call to another one. None starts before the first fetch,
# and so none before the server forks.
_THREADS = ThreadPoolExecutor(max_workers=4096, thread_name_prefix="fetching")


@dataclass(frozen=True)
class Timed:
    """What a fetch gave, and how many milliseconds after the call's first fetch began."""

    fetched: Fetched
    milliseconds: float


@dataclass
class SideBySide:
    """The fetches of one call. What is still busy in the end is let go, and ends with its own deadline."""

    deadline: Deadline
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.deadline.clock()

    def begin(self, tasks: Mapping[_Key, Callable[[], Fetched]]) -> dict[_Key, Future[Timed]]:
        """Start these fetches."""
        return {key: _THREADS.submit(copy_context().run, self._timed, task) for key, task in tasks.items()}

    def beside(self, task: Callable[[], object]) -> Future[object]:
        """Start what nobody has to wait for."""
        return _THREADS.submit(copy_context().run, task)

    def results(self, running: Mapping[_Key, Future[Timed]]) -> dict[_Key, Timed]:
        """What they gave; what isn't done by the deadline counts as failed."""
        wait(running.values(), timeout=self.deadline.remaining())
        late = Timed(_LATE, self.milliseconds())
        return {key: future.result() if future.done() else late for key, future in running.items()}

    def milliseconds(self) -> float:
        """Since the start."""
        return round((self.deadline.clock() - self._started) * 1000, 1)

    def _timed(self, task: Callable[[], Fetched]) -> Timed:
        return Timed(task(), self.milliseconds())
