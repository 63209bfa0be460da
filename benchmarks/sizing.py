"""From what a call costs to what a site needs: replicas, shares of what they share, rows. Arithmetic only.

What is assumed is `Plan`; change it there, and the page follows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True)
class Cost:
    """One figure: a mode with a payload. Times are milliseconds of processor time a call, unless named otherwise."""

    mode: str
    fetches: bool
    observations: int
    body_bytes: int
    cpu_ms: float
    database_ms: float
    redis_ms: float
    connections: int
    """To PostgreSQL, of the one worker, kept after the load."""
    calls_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Kept:
    """What a row takes in PostgreSQL, with its indexes, in bytes."""

    audit_bytes: float
    card_bytes: float


@dataclass(frozen=True)
class Measured:
    """All figures; the last mode is how a hospital runs it."""

    costs: tuple[Cost, ...]
    kept: Kept


@dataclass(frozen=True)
class Plan:
    """What is assumed of a site."""

    mix: Mapping[int, float] = field(default_factory=lambda: {4: 0.60, 60: 0.35, 1000: 0.05})
    """How many charts have so many Observations in the prefetch."""
    peak: float = 2.0
    """The busiest minute against the one planned for."""
    load: float = 0.5
    """How much of a core, or of what is shared, may be used in the busiest minute."""
    workers: int = 2
    threads: int = 16
    card_share: float = 0.05
    """Charts that get a card."""
    hours: int = 10
    """Hours a day at the planned rate."""
    database_connections: int = 100
    """PostgreSQL's default."""
    database_cores: int = 4
    network_bits: float = 1e9
    fhir_seconds: float = 0.3
    """What a chart waits for its FHIR server when nothing is prefetched."""


@dataclass(frozen=True)
class Need:
    """What so many openings a minute need, calls being prefetched or fetched."""

    openings: int
    replicas: int
    calls_at_peak: float
    cores_at_peak: float
    shares: Mapping[str, float]
    """How much of each limit is used in the busiest minute, one replica being away."""

    @property
    def bottleneck(self) -> tuple[str, float]:
        """What comes to its limit first, and how much of it is used."""
        return max(self.shares.items(), key=lambda one: one[1])


def mean(costs: Mapping[int, float], plan: Plan) -> float:
    """The mean over the mix of charts."""
    return sum(share * costs[size] for size, share in plan.mix.items())


def need(measured: Measured, openings: int, plan: Plan) -> Need:
    """For prefetched calls with all that a hospital switches on."""
    whole = {cost.observations: cost for cost in measured.costs if cost.mode == measured.costs[-1].mode}
    calls = openings / 60 * plan.peak

    def each(of: Callable[[Cost], float]) -> float:
        return mean({size: of(cost) for size, cost in whole.items()}, plan)

    cores = calls * each(lambda cost: cost.cpu_ms) / 1000
    replicas = max(2, ceil(cores / plan.load / plan.workers) + 1)
    shares = {
        "processor of the replicas": cores / ((replicas - 1) * plan.workers),
        **_of_the_stores(whole, replicas, calls, plan),
        "network into the replicas": calls * each(lambda cost: cost.body_bytes) * 8 / plan.network_bits,
    }
    return Need(openings, replicas, calls, cores, shares)


def need_when_fetched(measured: Measured, openings: int, plan: Plan) -> Need:
    """For calls without prefetch: the cost of fetching comes in place of reading the prefetch.

    PostgreSQL and Redis are used as by prefetched calls. The bytes that FHIR servers send aren't measured.
    """
    fetched = {cost.observations: cost.cpu_ms for cost in measured.costs if cost.fetches}
    alone = {cost.observations: cost.cpu_ms for cost in measured.costs if cost.mode == measured.costs[0].mode}
    whole = {cost.observations: cost for cost in measured.costs if cost.mode == measured.costs[-1].mode}
    calls = openings / 60 * plan.peak
    each = mean({size: fetched[size] + whole[size].cpu_ms - alone[size] for size in plan.mix}, plan)
    cores = calls * each / 1000
    waiting = calls * plan.fhir_seconds
    by_cores = ceil(cores / plan.load / plan.workers)
    by_threads = ceil(waiting / plan.load / (plan.workers * plan.threads))
    replicas = max(2, max(by_cores, by_threads) + 1)
    left = replicas - 1
    shares = {
        "processor of the replicas": cores / (left * plan.workers),
        "threads that wait for the FHIR server": waiting / (left * plan.workers * plan.threads),
        **_of_the_stores(whole, replicas, calls, plan),
    }
    return Need(openings, replicas, calls, cores, shares)


def _of_the_stores(costs: Mapping[int, Cost], replicas: int, calls: float, plan: Plan) -> dict[str, float]:
    """Shares used of what all replicas share, by so many calls a second."""
    connections = replicas * plan.workers * max(cost.connections for cost in costs.values())
    database_ms = mean({size: cost.database_ms for size, cost in costs.items()}, plan)
    redis_ms = mean({size: cost.redis_ms for size, cost in costs.items()}, plan)
    return {
        "connections of PostgreSQL": connections / plan.database_connections,
        "processor of PostgreSQL": calls * database_ms / 1000 / plan.database_cores,
        "Redis (one core)": calls * redis_ms / 1000,
    }


def rows_a_day(openings: int, plan: Plan) -> tuple[float, float]:
    """Entries of the audit trail, and cards kept."""
    calls = openings * 60 * plan.hours
    return calls, calls * plan.card_share
