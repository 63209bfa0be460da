"""Room: call_phases. Where a call is, and for how long: each room marks its border, and who listens is told.

Knows nobody of ours: no metric, no trace, no HTTP. Where no call is followed, as in the doctor or a test of one room, a
mark tells nobody. Threads that work for a call are followed where they run in a copy of its context.
"""

from collections.abc import Iterable
from contextvars import ContextVar, Token
from time import perf_counter
from types import TracebackType
from typing import Literal, Protocol, Self

Name = Literal[
    "web",
    "authenticating",
    "parsing",
    "gathering",
    "fetching",
    "reading",
    "assessing",
    "remembering",
    "composing",
    "auditing",
]
"""The rooms of a call in their order: `web` is the whole, `fetching` one request to a FHIR server."""


class Listener(Protocol):
    """Hears of the phases of a call. What it raises would cost the call its answer, so it raises nothing."""

    def begins(self, phase: "Phase") -> None:
        """A phase begins; where what it asks of others is to be traced, its `traceparent` is set now."""
        ...

    def ends(self, phase: "Phase") -> None:
        """A phase is over: how long it took and what came of it is known."""
        ...


class Phase:
    """One stretch of a call: `with Phase("reading"): ...`. Parent and listeners are those of the phase around it.

    `started` is in seconds of `time.perf_counter`. `about` and `server` say what is asked of which host, `outcome` what
    came of it. `traceparent` (W3C Trace Context) is what others are told of this phase, `caller` what the caller told;
    empty: nothing.
    """

    __slots__ = (
        "_around", "about", "caller", "failed", "listeners", "name", "outcome", "parent", "seconds", "server", "span",
        "started", "traceparent",
    )  # fmt: skip

    def __init__(self, name: Name, server: str = "", about: str = "") -> None:
        parent = _CURRENT.get()
        self.name: Name = name
        self.parent = parent
        self.listeners: tuple[Listener, ...] = parent.listeners if parent is not None else ()
        self.server, self.about = server, about
        self.outcome = self.traceparent = self.caller = ""
        self.seconds = 0.0
        self.failed = False
        self.span: object = None
        """For a listener to keep what it knows of this phase."""

    @classmethod
    def of_call(cls, listeners: Iterable[Listener], caller: str) -> Self:
        """The whole of one call, told to these; `caller` is the caller's own traceparent, or empty."""
        call = cls("web")
        call.parent, call.listeners, call.caller = None, tuple(listeners), caller
        return call

    def begin(self) -> None:
        """From now on this is where the call is."""
        self._around: Token[Phase | None] = _CURRENT.set(self)
        for listener in self.listeners:
            listener.begins(self)
        self.started = perf_counter()

    def end(self, failed: bool = False) -> None:
        """It is over, and the call is again where it was before."""
        self.seconds = perf_counter() - self.started
        self.failed = failed
        _CURRENT.reset(self._around)
        for listener in self.listeners:
            listener.ends(self)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(failed=kind is not None)


_CURRENT: ContextVar[Phase | None] = ContextVar("phase", default=None)


def current_traceparent() -> str:
    """What a request made now tells of its place in the trace (W3C Trace Context); empty where nothing is traced."""
    phase = _CURRENT.get()
    return phase.traceparent if phase is not None else ""
