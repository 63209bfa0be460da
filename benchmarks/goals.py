"""What the service should cost, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders import AUTHENTICATED, FLASK, HEALTHCHAIN, KEEPING, SERVICE, USUAL
from benchmarks.contest import CASES, SIZES, Case, Measured
from benchmarks.growth import Growth

RATIOS = {FLASK: (2.0, 2.0, 0.6), USUAL: (0.4, 0.12, 0.03), HEALTHCHAIN: (0.3, 0.08, 0.02)}
"""At most so many times the processor time of a yardstick, for each size of chart."""
TAIL, KEEPING_MS, PEAK_MEGABYTES, COLD_SECONDS, COMPACT_SECONDS = 3.0, 0.6, 140.0, 1.2, 0.5


@dataclass(frozen=True)
class Goal:
    """One goal: what is meant, what was measured, and what it should not exceed."""

    meaning: str
    measured: float
    limit: float | None
    unit: str = ""

    @property
    def verdict(self) -> str:
        """In words."""
        if self.limit is None:
            return "told only"
        return "met" if self.measured <= self.limit else "not met"


def ratio_goal(measured: Measured, other: str, case: Case) -> Goal:
    """The service against a yardstick, with one kind of chart."""
    limit = RATIOS[other][SIZES.index(case.observations)]
    return Goal(f"against {other}", measured.cpu_ratio(SERVICE, other, case), limit, "x")


def other_goals(measured: Measured, growth: Growth) -> Iterator[Goal]:
    """All that isn't a ratio to a yardstick; where several sizes are measured, the worst of them."""
    yield Goal("memory and audit on: more processor time a call", _more(measured, KEEPING), KEEPING_MS, "ms")
    yield Goal("authentication on (ES384): more processor time a call", _more(measured, AUTHENTICATED), None, "ms")
    alone = [measured.figures[SERVICE, Case(size)].one_by_one for size in SIZES]
    tail = max(load.percentile_ms(99) / load.percentile_ms(50) for load in alone)
    yield Goal("p99 to p50, one call after another", tail, TAIL, "x")
    yield Goal("most memory of a worker", measured.peak_megabytes[SERVICE], PEAK_MEGABYTES, "MB")
    cold = sorted(measured.cold_start_seconds[SERVICE])
    yield Goal("cold start to the first answered call", cold[len(cold) // 2], COLD_SECONDS, "s")
    yield Goal("20,000 compact results in one call", growth.compact.seconds, COMPACT_SECONDS, "s")


def _more(measured: Measured, mode: str) -> float:
    """Milliseconds that a mode costs more a call: the worst of charts with 4 and 60 Observations.

    With 1,000 the difference of two large numbers says less about the mode than about the machine.
    """
    small = [case for case in CASES if case.observations < SIZES[-1]]
    return max(measured.figures[mode, case].cpu_ms - measured.figures[SERVICE, case].cpu_ms for case in small)
