"""`make bench`: the service against its yardsticks, how cost grows, and where it goes. About six minutes.

Prints the tables; with --write puts them and the picture into docs/performance.md. Measure on an idle machine.
"""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.contenders import all_contenders
from benchmarks.contest import cold_starts, compete, steps
from benchmarks.endurance import CALLS as MANY_CALLS
from benchmarks.endurance import LOOKS, endure
from benchmarks.environments import ROOT
from benchmarks.growth import GROWTH_STEPS, measure_growth
from benchmarks.phases import CALLS, measure_phases
from benchmarks.picture import draw
from benchmarks.report import endurance, put_into, sections
from benchmarks.serving import machine

_PAGE = ROOT / "docs" / "performance.md"
_COLD_STARTS = 4


def main() -> None:
    """Measure all, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is measured with each chart")
    parser.add_argument("--write", action="store_true", help="put the tables and the picture into docs/performance.md")
    parser.add_argument("--long", action="store_true", help="also look at the memory over 100,000 calls")
    options = parser.parse_args()
    console, load = Console(), os.getloadavg()[0]
    with all_contenders(console) as contenders, _progress(console) as progress:
        number = len(contenders)
        total = number * _COLD_STARTS + steps(number, options.rounds) + GROWTH_STEPS + len(CALLS) + LOOKS * options.long
        task = progress.add_task("begins", total=total)

        def advance(what: str) -> None:
            progress.update(task, advance=1, description=what)

        started = cold_starts(contenders, _COLD_STARTS, advance)
        measured = compete(contenders, options.rounds, advance)
        measured.cold_start_seconds = started
        growth, phases = measure_growth(advance), measure_phases(advance)
        looks = endure(MANY_CALLS, advance) if options.long else []
    found = sections(measured, growth, phases) | {"machine": _circumstances(options.rounds, load)}
    if looks:
        found["endurance"] = endurance(looks)
    if options.write:
        put_into(_PAGE, found)
        draw(measured, _PAGE.parent / "pictures")
        console.print(f"Written to {_PAGE.relative_to(Path.cwd())}.")
    for name, content in found.items():
        console.rule(name)
        console.print(Markdown(content))


def _circumstances(rounds: int, load: float) -> str:
    """What was measured on; a load of 1 is a core that others kept busy before it began."""
    quiet = "an idle machine" if load < 0.5 else f"a busy machine (load {load:.1f}): trust no latency"
    return f"{machine()}; {rounds} rounds, on {quiet}."


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    main()
