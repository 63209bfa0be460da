"""The measurements reach the page whole, and say of a goal what is true."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.contenders import AUTHENTICATED, FLASK, KEEPING, SERVICE, YARDSTICKS
from benchmarks.contest import CASES, Case, Figures, Measured
from benchmarks.endurance import Look
from benchmarks.goals import ratio_goal
from benchmarks.growth import Cost, Growth
from benchmarks.phases import CALLS, NAMES
from benchmarks.report import endurance, put_into, sections
from benchmarks.wrk import Load

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def measured(service_ms: float = 1.0) -> Measured:
    """The same figures for everyone but the service."""
    found = Measured()
    for name in (SERVICE, KEEPING, AUTHENTICATED, *YARDSTICKS):
        load = Load(calls=200, seconds=2.0, histogram=Counter({1000: 198, 5000: 2}))
        for case in CASES:
            found.figures[name, case] = Figures(6.2, [service_ms if name == SERVICE else 1.0] * 3, load, load)
        found.peak_megabytes[name], found.cold_start_seconds[name] = 100.0, [1.5, 1.0, 1.1]
    return found


def found() -> dict[str, str]:
    cost = Cost(1000, 1.4, 0.01, 0.005)
    phases = {size: dict.fromkeys(NAMES, 0.25) for size in CALLS}
    tables = sections(measured(), Growth([cost], [cost], cost), phases)
    return tables | {"endurance": endurance([Look(10_000, 120.0, 131.5)])}


def test_every_table_has_its_place_in_the_page_and_replaces_the_last_one(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    shutil.copy(PAGE, page)
    put_into(page, found())
    once = page.read_text(encoding="utf-8")
    assert all(table in once for table in found().values())
    put_into(page, found())
    assert page.read_text(encoding="utf-8") == once


def test_a_page_without_the_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("<!-- goals -->\nnever closed\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for 'goals'"):
        put_into(page, {"goals": "a table"})


@pytest.mark.parametrize(
    ("service_ms", "verdict"), [(1.99, "met"), (2.0, "met"), (2.01, "not met")], ids=["below", "at", "above"]
)
def test_a_goal_is_met_up_to_its_limit(service_ms: float, verdict: str) -> None:
    assert ratio_goal(measured(service_ms), FLASK, Case(4)).verdict == verdict


@pytest.mark.parametrize(("percent", "milliseconds"), [(50, 1.0), (99, 1.0), (99.5, 5.0), (100, 5.0)])
def test_a_percentile_is_the_latency_that_so_many_calls_did_not_exceed(percent: float, milliseconds: float) -> None:
    assert Load(histogram=Counter({1000: 198, 5000: 2})).percentile_ms(percent) == milliseconds
