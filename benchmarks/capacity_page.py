"""The figures as Markdown, and where they stand in the page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.serving import machine
from benchmarks.sizing import Cost, Measured, Need, Plan, need, need_when_fetched, rows_a_day

OPENINGS = (10, 1_000, 100_000)
BEGIN, END = "<!-- measured: python -m benchmarks.capacity --write -->", "<!-- end of what was measured -->"


def render(measured: Measured, plan: Plan | None = None) -> str:
    """All tables."""
    plan = plan or Plan()
    needs = [need(measured, openings, plan) for openings in OPENINGS]
    fetched = [need_when_fetched(measured, openings, plan) for openings in OPENINGS]
    return "\n\n".join(
        (
            f"Measured on: {machine()}.",
            _costs(measured),
            "### Replicas",
            _assumed(plan),
            _needs("charts are prefetched", needs),
            _needs("nothing is prefetched", fetched),
            "### What is shared, in the busiest minute",
            _shares(needs, plan),
            "### Rows",
            _rows(measured, plan),
        )
    )


def put_into(page: Path, tables: str) -> None:
    """Replace what stands between the marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no marks")
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _costs(measured: Measured) -> str:
    heads = ("mode", "Observations", "kB in", "CPU ms a call", "calls/s a core", "of PostgreSQL, ms", "of Redis, ms")
    return _table((*heads, "connections", "p50 ms", "p99 ms"), (_cost(cost) for cost in measured.costs))


def _cost(cost: Cost) -> tuple[str, ...]:
    return (
        cost.mode,
        f"{cost.observations:,}",
        f"{cost.body_bytes / 1000:.0f}",
        f"**{cost.cpu_ms:.2f}**",
        f"{1000 / cost.cpu_ms:,.0f}",
        *(f"{value:.2f}" if value >= 0.005 else "-" for value in (cost.database_ms, cost.redis_ms)),
        str(cost.connections or "-"),
        f"{cost.p50_ms:.1f}",
        f"{cost.p99_ms:.1f}",
    )


def _assumed(plan: Plan) -> str:
    mix = ", ".join(f"{share:.0%} with {size:,} Observations" for size, share in plan.mix.items())
    return (
        f"Assumed: {mix}; a busiest minute of {plan.peak:g} times the openings named; of a core at most "
        f"{plan.load:.0%} used then; a replica has {plan.workers} workers and {plan.workers} cores; one replica more "
        f"than needed, two at least; with tokens, memory and audit. Without prefetch a chart waits "
        f"{plan.fhir_seconds * 1000:.0f} ms for its FHIR server, in one of {plan.workers} x {plan.threads} threads."
    )


def _needs(title: str, needs: Sequence[Need]) -> str:
    heads = (f"openings a minute, {title}", "calls/s at peak", "cores used at peak", "replicas", "first bottleneck")
    return _table(
        heads,
        (
            (
                f"{one.openings:,}",
                f"{one.calls_at_peak:,.1f}",
                f"{one.cores_at_peak:,.2f}",
                f"**{one.replicas:,}**",
                f"{one.bottleneck[0]} ({one.bottleneck[1]:.1%} used)",
            )
            for one in needs
        ),
    )


def _shares(needs: Sequence[Need], plan: Plan) -> str:
    limits = (
        f"Limits: {plan.database_connections} connections and {plan.database_cores} cores of PostgreSQL, one core of "
        f"Redis, {plan.network_bits / 1e9:g} Gbit/s. More than 100 % means more of it."
    )
    rows = ((name, *(f"{one.shares[name]:.1%}" for one in needs)) for name in needs[0].shares)
    return limits + "\n\n" + _table(("used", *(f"{one.openings:,} a minute" for one in needs)), rows)


def _rows(measured: Measured, plan: Plan) -> str:
    kept = measured.kept
    rows = []
    for openings in OPENINGS:
        entries, cards = rows_a_day(openings, plan)
        volume = (entries * kept.audit_bytes + cards * kept.card_bytes) * 365 / 1e9
        rows.append((f"{openings:,}", f"{entries:,.0f}", f"{cards:,.0f}", f"{volume:,.1f}"))
    told = (
        f"An audit entry takes {kept.audit_bytes:,.0f} bytes with its indexes, a card {kept.card_bytes:,.0f}. Assumed: "
        f"{plan.hours} such hours a day, a card for {plan.card_share:.0%} of the charts."
    )
    heads = ("openings a minute", "audit entries a day", "cards a day", "GB a year")
    return told + "\n\n" + _table(heads, rows)
