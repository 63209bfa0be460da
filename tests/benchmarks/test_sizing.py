"""From costs to replicas: the plan holds in the busiest minute with one replica away, and what ends first is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sizing import Cost, Kept, Measured, Plan, need, need_when_fetched, rows_a_day

PLAN = Plan()
HOSPITAL = "all that a hospital switches on"


def _cost(mode: str, size: int, cpu_ms: float, **others: float) -> Cost:
    idle = {"body_bytes": 1000 * size, "database_ms": 0.5, "redis_ms": 0.05, "connections": 4}
    speed = {"calls_per_second": 0, "p50_ms": 0, "p99_ms": 0}
    return Cost(mode, mode == "fetched", size, cpu_ms=cpu_ms, **(idle | speed | others))  # type: ignore[arg-type]


def _measured(cpu_ms: float = 10, **others: float) -> Measured:
    costs = [_cost("alone", size, cpu_ms / 2) for size in PLAN.mix]
    costs += [_cost("fetched", size, cpu_ms) for size in PLAN.mix]
    costs += [_cost(HOSPITAL, size, cpu_ms, **others) for size in PLAN.mix]
    return Measured(tuple(costs), Kept(audit_bytes=500, card_bytes=1500))


@given(openings=st.integers(1, 1_000_000), cpu_ms=st.floats(0.1, 1000))
def test_with_one_replica_away_the_busiest_minute_uses_no_more_than_planned(openings: int, cpu_ms: float) -> None:
    for found in (need(_measured(cpu_ms), openings, PLAN), need_when_fetched(_measured(cpu_ms), openings, PLAN)):
        assert found.replicas >= 2
        limits = ("processor of the replicas", "threads that wait for the FHIR server")
        assert all(found.shares.get(limit, 0) <= PLAN.load * 1.000001 for limit in limits)


@given(openings=st.integers(120, 1_000_000))
def test_no_replica_is_planned_that_is_not_needed(openings: int) -> None:
    found = need(_measured(), openings, PLAN)
    assert found.replicas == 2 or found.cores_at_peak > (found.replicas - 2) * PLAN.workers * PLAN.load


@pytest.mark.parametrize(
    ("costs", "named"),
    [
        ({"connections": 100}, "connections of PostgreSQL"),
        ({"body_bytes": 1_000_000}, "network into the replicas"),
        ({"database_ms": 20}, "processor of PostgreSQL"),
        ({"redis_ms": 20}, "Redis (one core)"),
        ({}, "processor of the replicas"),
    ],
)
def test_what_comes_to_its_limit_first_is_named(costs: dict[str, float], named: str) -> None:
    cheap = {"body_bytes": 10, "connections": 0, "database_ms": 0.01, "redis_ms": 0.01}
    assert need(_measured(**(cheap | costs)), 10_000, PLAN).bottleneck[0] == named


def test_a_slow_fhir_server_needs_replicas_for_its_threads() -> None:
    fast, slow = Plan(fhir_seconds=0.1), Plan(fhir_seconds=5.0)
    found = {
        plan.fhir_seconds: need_when_fetched(_measured(cpu_ms=1, connections=0), 1_000, plan) for plan in (fast, slow)
    }
    assert found[0.1].replicas < found[5.0].replicas
    assert found[5.0].bottleneck[0] == "threads that wait for the FHIR server"


@pytest.mark.parametrize(
    ("costs", "named"),
    [({"connections": 100}, "connections of PostgreSQL"), ({"redis_ms": 20}, "Redis (one core)")],
)
def test_what_replicas_share_ends_for_fetched_calls_too(costs: dict[str, float], named: str) -> None:
    cheap = {"connections": 0, "database_ms": 0.01, "redis_ms": 0.01}
    assert need_when_fetched(_measured(**(cheap | costs)), 10_000, PLAN).bottleneck[0] == named


def test_rows_of_a_day() -> None:
    assert rows_a_day(100, Plan(hours=10, card_share=0.05)) == (60_000, 3_000)
