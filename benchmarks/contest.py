"""The comparison: every contender in turn, round by round, on one core; the client on another.

Processor time is the figure to trust: it hardly depends on what else the machine does. Latencies and calls per second
do, and are for an idle machine.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.contenders import SERVICE, YARDSTICKS, Contender, Running, expect_right_answer, started
from benchmarks.payload import request_body
from benchmarks.wrk import Load, send_calls

SIZES = (4, 60, 1000)
_ROUND_SECONDS = 0.4
_FEWEST_CALLS, _MOST_CALLS = 3, 300
_AT_ONCE = 8
_MANY = 500
TIMED = (SERVICE, *YARDSTICKS)
"""Whose latencies are taken, too; of the service's other modes the processor time tells enough."""


@dataclass(frozen=True)
class Case:
    """A kind of chart: how many Observations, and whether there is something to find."""

    observations: int
    findings: bool = True


CASES = tuple(Case(size, findings) for size in SIZES for findings in (True, False))


@dataclass
class Figures:
    """What was measured of one contender with one kind of chart."""

    kilobytes: float
    rounds_cpu_ms: list[float] = field(default_factory=list)
    """Processor time of a call in each round: all processes of the server, user and system."""
    one_by_one: Load = field(default_factory=Load)
    at_once: Load = field(default_factory=Load)

    @property
    def cpu_ms(self) -> float:
        """Processor time of a call in milliseconds: the median of the rounds."""
        return statistics.median(self.rounds_cpu_ms)


@dataclass
class Measured:
    """All figures of a contest."""

    figures: dict[tuple[str, Case], Figures] = field(default_factory=dict)
    peak_megabytes: dict[str, float] = field(default_factory=dict)
    cold_start_seconds: dict[str, list[float]] = field(default_factory=dict)
    """From the command to the first answered call; the first start also makes the database."""

    def cpu_ratio(self, name: str, other: str, case: Case) -> float:
        """The processor time of one contender to that of another."""
        return self.figures[name, case].cpu_ms / self.figures[other, case].cpu_ms


def cores() -> tuple[int | None, int | None]:
    """The core of the servers and that of the client; none where there is but one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def cold_starts(contenders: Iterable[Contender], rounds: int, advance: Callable[[str], None]) -> dict[str, list[float]]:
    """Each contender from command to first answer, in turns."""
    body, (core, _) = request_body(SIZES[0]), cores()
    found: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            advance(f"cold start: {contender.name}")
            began = time.perf_counter()
            with started(contender, core) as server:
                server.call(body)
                found[contender.name].append(time.perf_counter() - began)
    return found


def compete(contenders: Iterable[Contender], rounds: int, advance: Callable[[str], None]) -> Measured:
    """Measure all contenders with all kinds of charts.

    Args:
        contenders: all run at once; only the one that is called works.
        rounds: how often each is measured with each chart.
        advance: told what is measured next; as often as `steps` says.

    Raises:
        SystemExit: a contender's answer isn't right.
    """
    measured = Measured()
    with ExitStack() as stack:
        running = [stack.enter_context(started(contender, cores()[0])) for contender in contenders]
        bodies = {case: request_body(case.observations, findings=case.findings) for case in CASES}
        for case, body in bodies.items():
            for server in running:
                _get_ready(server, case, body)
                measured.figures[server.contender.name, case] = Figures(len(body) / 1000)
        for number in range(rounds):
            for case, body in bodies.items():
                for server in running:
                    advance(f"round {number + 1}: {case.observations} Observations, {server.contender.name}")
                    _measure(server, case, body, measured.figures[server.contender.name, case])
        for server in running:
            measured.peak_megabytes[server.contender.name] = server.server.peak_megabytes()
    return measured


def steps(contenders: int, rounds: int) -> int:
    """How often `compete` tells that it goes on."""
    return contenders * rounds * len(CASES)


def _get_ready(server: Running, case: Case, body: bytes) -> None:
    for _ in range(3):
        expect_right_answer(server, body, case.findings)
    server.call(body, 5)


def _measure(server: Running, case: Case, body: bytes, figures: Figures) -> None:
    began = time.perf_counter()
    server.call(body)
    calls = int(_ROUND_SECONDS / (time.perf_counter() - began))
    calls = max(_FEWEST_CALLS, min(_MOST_CALLS, calls))
    before = server.server.cpu_seconds()
    server.call(body, calls)
    figures.rounds_cpu_ms.append((server.server.cpu_seconds() - before) * 1000 / calls)
    if case.findings and server.contender.name in TIMED:
        figures.one_by_one += _load(server, body, 1, seconds=2)
        figures.at_once += _load(server, body, _AT_ONCE, seconds=3 if case.observations > _MANY else 1)


def _load(server: Running, body: bytes, connections: int, seconds: int) -> Load:
    load = send_calls(server.url, body, connections, seconds, cores()[1])
    if load.failed:
        raise SystemExit(f"{server.contender.name} failed {load.failed} of {load.calls} calls")
    return load
