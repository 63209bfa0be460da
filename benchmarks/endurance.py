"""Does the memory of a worker stay flat over 100,000 calls? Memory and audit trail on, charts of all sizes.

`python -m benchmarks.endurance`; tells the worker's memory after every tenth. Takes some minutes.
"""

import argparse

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import KEEPING, all_contenders, started
from benchmarks.contest import SIZES, cores
from benchmarks.payload import request_body
from benchmarks.serving import machine
from benchmarks.wrk import send_calls

_AT_ONCE = 8


def main() -> None:
    """Call, look, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    options = parser.parse_args()
    console = Console()
    table = Table(title=f"One worker, {_AT_ONCE} calls at once, memory and audit trail on")
    for heading in ("calls so far", "MB now", "MB at most so far"):
        table.add_column(heading, justify="right")
    bodies = [request_body(size) for size in SIZES]
    with all_contenders(console) as contenders, console.status("starting") as status:
        keeping = next(contender for contender in contenders if contender.name == KEEPING)
        core, other = cores()
        with started(keeping, core) as server:
            calls, next_look = 0, options.calls // 10
            while calls < options.calls:
                for body, seconds in zip(bodies, (20, 4, 2), strict=True):
                    calls += send_calls(server.url, body, _AT_ONCE, seconds, other).calls
                status.update(f"{calls:,} of {options.calls:,} calls")
                if calls >= next_look:
                    server_now = server.server
                    table.add_row(f"{calls:,}", f"{server_now.megabytes():.1f}", f"{server_now.peak_megabytes():.1f}")
                    next_look += options.calls // 10
    console.print(table)
    console.print(machine())


if __name__ == "__main__":
    main()
