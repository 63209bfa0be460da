"""Does the memory of a worker stay flat? Memory and audit trail on, charts of all sizes, each call another patient.

`python -m benchmarks.endurance` makes 100,000 calls, which takes some minutes, and tells the memory after every tenth.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import KEEPING, service_modes, started
from benchmarks.contest import SIZES, cores
from benchmarks.payload import request_body
from benchmarks.serving import machine
from benchmarks.wrk import send_calls

LOOKS = 10
CALLS = 100_000
_AT_ONCE = 8
_SECONDS = (12, 3, 1)
"""For how long charts of each size are sent, again and again."""


@dataclass(frozen=True)
class Look:
    """The worker's memory after so many calls, in megabytes: now, and the most so far."""

    calls: int
    megabytes: float
    peak_megabytes: float


def endure(calls: int, advance: Callable[[str], None]) -> list[Look]:
    """Make so many calls, or somewhat more, and look at the worker's memory after every tenth of them.

    Args:
        calls: how many.
        advance: told at each look.
    """
    bodies = [request_body(size) for size in SIZES]
    core, other = cores()
    looks: list[Look] = []
    with service_modes() as modes, started(next(mode for mode in modes if mode.name == KEEPING), core) as running:
        made, server = 0, running.server
        while made < calls:
            for body, seconds in zip(bodies, _SECONDS, strict=True):
                load = send_calls(running.url, body, _AT_ONCE, seconds, other)
                if load.failed:
                    raise SystemExit(f"{load.failed} calls failed after {made:,}")
                made += load.calls
            if made * LOOKS >= calls * (len(looks) + 1):
                looks.append(Look(made, server.megabytes(), server.peak_megabytes()))
                advance(f"endurance: {made:,} of {calls:,} calls")
    return looks


def main() -> None:
    """Call, look, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    options = parser.parse_args()
    console = Console()
    table = Table(title=f"One worker, {_AT_ONCE} calls at once, memory and audit trail on")
    for heading in ("calls so far", "MB now", "MB at most so far"):
        table.add_column(heading, justify="right")
    with console.status("endurance") as status:
        for look in endure(options.calls, status.update):
            table.add_row(f"{look.calls:,}", f"{look.megabytes:.1f}", f"{look.peak_megabytes:.1f}")
    console.print(table)
    console.print(machine())


if __name__ == "__main__":
    main()
