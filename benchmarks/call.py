"""One worker of the service against a Flask service that does nothing, in one interleaved run on loopback.

Prints p50 and p95 of each, their ratio, and the time from start to the first answer of /livez.
"""

import argparse
import http.client
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.payload import request_body

PATH = "/cds-services/cytopenia-review"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int) -> Iterator[float]:
    """The server as a process; yields the seconds it took to answer."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "CDS_AUTH": "off",
            "CDS_DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite3",
            "CDS_METRICS_BIND": "off",
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=os.environ | settings, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            yield _wait(port, began)
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, began: float) -> float:
    while time.perf_counter() - began < 20:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/livez")
            if connection.getresponse().status == http.client.OK:
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.01)
    raise SystemExit("the server did not start")


def _call(connection: http.client.HTTPConnection, body: bytes) -> float:
    began = time.perf_counter()
    connection.request("POST", PATH, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != http.client.OK:
        raise SystemExit(f"answered {response.status}")
    return (time.perf_counter() - began) * 1000


def _p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, nargs="+", default=[4, 60, 1000])
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    ours, noop = _free_port(), _free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4", "--worker-class", "gthread"]
    serve = [sys.executable, "-m", "cds_service", "serve", "--port", str(ours), "--workers", "1", "--threads", "4"]
    console = Console()
    table = Table(title="POST /cds-services/cytopenia-review, one worker, concurrency 1")
    for heading in ("Observations", "kB", "service p50 ms", "p95", "no-op Flask p50 ms", "p95", "ratio p50"):
        table.add_column(heading, justify="right")
    with (
        _running(serve, ours) as started,
        _running([*gunicorn, "--bind", f"127.0.0.1:{noop}", "benchmarks.noop:app"], noop) as noop_started,
    ):
        connections = [http.client.HTTPConnection("127.0.0.1", port) for port in (ours, noop)]
        for size in options.observations:
            body = request_body(size)
            for connection in connections * 10:
                _call(connection, body)
            times: list[list[float]] = [[], []]
            for _ in track(range(options.calls), description=f"{size} Observations", console=console, transient=True):
                for index, connection in enumerate(connections):
                    times[index].append(_call(connection, body))
            mine, yardstick = times
            table.add_row(
                str(size),
                f"{len(body) / 1000:.0f}",
                *(f"{_p(values, percent):.2f}" for values in (mine, yardstick) for percent in (50, 95)),
                f"{_p(mine, 50) / _p(yardstick, 50):.2f}",
            )
    console.print(table)
    console.print(f"start-up: service {started:.2f} s, no-op Flask {noop_started:.2f} s")
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
