"""The measurements as Markdown tables: printed, and put into docs/performance.md between its markers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.contenders import SERVICE, YARDSTICKS
from benchmarks.contest import CASES, SIZES, Case, Figures, Measured
from benchmarks.endurance import Look
from benchmarks.goals import RATIOS, other_goals, ratio_goal
from benchmarks.growth import Cost, Growth
from benchmarks.phases import NAMES, Phases

_FEW = 100
"""Of fewer calls than this nothing is said beyond the median."""


def sections(measured: Measured, growth: Growth, phases: Mapping[int, Phases]) -> dict[str, str]:
    """The tables by the name of their place in the page."""
    return {
        "goals": _goals(measured),
        "other-goals": _other_goals(measured, growth),
        "cpu": _cpu(measured),
        "latency": _latency(measured),
        "memory": _memory(measured),
        "growth": _by_bytes(growth),
        "irrelevant": _by_irrelevant(growth),
        "phases": _phases(phases),
    }


def endurance(looks: Iterable[Look]) -> str:
    """The worker's memory, look by look."""
    rows = [[f"{look.calls:,}", f"{look.megabytes:.0f}", f"{look.peak_megabytes:.0f}"] for look in looks]
    return _table(["calls so far", "MB now", "MB at most so far"], rows)


def put_into(page: Path, found: Mapping[str, str]) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a page.

    Raises:
        ValueError: the page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    for name, content in found.items():
        before, opened, rest = text.partition(f"<!-- {name} -->\n")
        _, closed, after = rest.partition(f"<!-- /{name} -->")
        if not (opened and closed):
            raise ValueError(f"{page.name} has no place for '{name}'")
        text = f"{before}{opened}{content}\n{closed}{after}"
    page.write_text(text, encoding="utf-8")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---", *["--:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _kind(case: Case) -> str:
    return "a finding" if case.findings else "nothing to find"


def _goals(measured: Measured) -> str:
    rows = []
    for other in RATIOS:
        for findings in (True, False):
            goals = [ratio_goal(measured, other, Case(size, findings)) for size in SIZES]
            told = (f"{goal.measured:.2f}x (goal {goal.limit}x): {goal.verdict}" for goal in goals)
            rows.append([f"{other}; {_kind(Case(SIZES[0], findings))}", *told])
    return _table(["service against", *(f"{size:,} Observations" for size in SIZES)], rows)


def _other_goals(measured: Measured, growth: Growth) -> str:
    rows = [
        [
            goal.meaning,
            f"{goal.measured:.2f} {goal.unit}",
            f"{goal.limit} {goal.unit}" if goal.limit else "-",
            goal.verdict,
        ]
        for goal in other_goals(measured, growth)
    ]
    return _table(["what", "measured", "goal, at most", "verdict"], rows)


def _cpu(measured: Measured) -> str:
    names = dict.fromkeys(name for name, _ in measured.figures)
    headings = ["ms of processor time a call", *(f"{case.observations:,}, {_kind(case)}" for case in CASES)]
    sent = ["(kB sent)", *(f"{measured.figures[SERVICE, case].kilobytes:,.0f}" for case in CASES)]
    rows = [[name, *(f"{measured.figures[name, case].cpu_ms:.2f}" for case in CASES)] for name in names]
    return _table(headings, [*rows, sent])


def _latency(measured: Measured) -> str:
    rows = [
        [f"{size:,}, {name}", *_speeds(measured.figures[name, Case(size)])]
        for size in SIZES
        for name in (SERVICE, *YARDSTICKS)
    ]
    return _table(["Observations, server", "p50 ms", "p95 ms", "p99 ms", "calls a second, 8 at once"], rows)


def _speeds(figures: Figures) -> list[str]:
    alone, rate = figures.one_by_one, figures.at_once.calls_per_second
    told = (50, 95, 99) if alone.calls >= _FEW else (50,)
    percentiles = [f"{alone.percentile_ms(percent):.1f}" for percent in told]
    return [*percentiles, *[""] * (3 - len(told)), f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"]


def _memory(measured: Measured) -> str:
    rows = []
    for name, peak in measured.peak_megabytes.items():
        first, *later = measured.cold_start_seconds[name]
        rows.append([name, f"{peak:.0f}", f"{first:.2f}", f"{sorted(later)[len(later) // 2]:.2f}" if later else "-"])
    return _table(["server", "most memory of the worker, MB", "first start, s", "later starts, s"], rows)


def _costs(costs: Iterable[Cost], first: str) -> str:
    rows = [
        [
            f"{cost.observations:,}",
            f"{cost.megabytes:.2f}",
            f"{cost.seconds * 1000:.1f}",
            f"{cost.seconds * 1000 / cost.megabytes:.1f}",
            f"{cost.decoding_seconds * 1000:.1f}",
            f"{(cost.seconds - cost.decoding_seconds) * 1000:.1f}",
        ]
        for cost in costs
    ]
    return _table([first, "MB sent", "ms", "ms a MB", "orjson alone, ms", "difference, ms"], rows)


def _by_bytes(growth: Growth) -> str:
    return _costs(growth.by_bytes, "Observations")


def _by_irrelevant(growth: Growth) -> str:
    return _costs(growth.by_irrelevant, "Observations beside the point")


def _phases(phases: Mapping[int, Phases]) -> str:
    rows = [[name, *(f"{found[phase]:.2f}" for found in phases.values())] for phase, name in NAMES.items()]
    return _table(["phase, ms", *(f"{size:,} Observations" for size in phases)], rows)
