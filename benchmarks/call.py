"""One worker of the service against a Flask service that does nothing, in one interleaved run on loopback.

Prints p50 and p95 of each, their ratio, and the time from start to the first answer of /livez.
"""

import argparse
import http.client
import sys

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.payload import request_body
from benchmarks.serving import call, free_port, machine, percentile, running, serve_command


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, nargs="+", default=[4, 60, 1000])
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    ours, noop = free_port(), free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4", "--worker-class", "gthread"]
    serve = serve_command(ours, "--workers", "1", "--threads", "4")
    console = Console()
    table = Table(title="POST /cds-services/cytopenia-review, one worker, concurrency 1")
    for heading in ("Observations", "kB", "service p50 ms", "p95", "no-op Flask p50 ms", "p95", "ratio p50"):
        table.add_column(heading, justify="right")
    with (
        running(serve, ours) as started,
        running([*gunicorn, "--bind", f"127.0.0.1:{noop}", "benchmarks.noop:app"], noop) as noop_started,
    ):
        connections = [http.client.HTTPConnection("127.0.0.1", port) for port in (ours, noop)]
        for size in options.observations:
            body = request_body(size)
            for connection in connections * 10:
                call(connection, body)
            times: list[list[float]] = [[], []]
            for _ in track(range(options.calls), description=f"{size} Observations", console=console, transient=True):
                for index, connection in enumerate(connections):
                    times[index].append(call(connection, body))
            mine, yardstick = times
            table.add_row(
                str(size),
                f"{len(body) / 1000:.0f}",
                *(f"{percentile(values, percent):.2f}" for values in (mine, yardstick) for percent in (50, 95)),
                f"{percentile(mine, 50) / percentile(yardstick, 50):.2f}",
            )
    console.print(table)
    console.print(f"start-up: service {started.started:.2f} s, no-op Flask {noop_started.started:.2f} s")
    console.print(machine())


if __name__ == "__main__":
    main()
