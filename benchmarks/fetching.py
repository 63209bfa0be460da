"""What fetching adds to the slowest single search, and what a dead FHIR server costs charts that don't need it.

Each figure is a ratio within one interleaved run: the service (as `serve` starts it) against one search alone, and
charts with full prefetch while six others hang against the same charts without.
"""

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.payload import request_body
from benchmarks.serving import call, free_port, machine, percentile, running, serve_command

SEARCH = "Observation?patient=synthetic-1&code=http://loinc.org%7C58410-2"
GOAL_MS, GOAL_SHARE = 12.0, 0.15
HANGING = 6


def unprefetched(fhir: str) -> bytes:
    """A call that leaves everything to the FHIR server with this base."""
    body = json.loads(request_body(4)) | {"fhirServer": fhir}
    del body["prefetch"]
    return json.dumps(body).encode()


def search(connection: http.client.HTTPConnection, delay: int) -> float:
    """One search alone, in milliseconds."""
    began = time.perf_counter()
    connection.request("GET", f"/fhir/{delay}/{SEARCH}")
    connection.getresponse().read()
    return (time.perf_counter() - began) * 1000


def overhead(service: int, fhir: int, delays: list[int], calls: int, console: Console) -> Table:
    """The overhead over the slowest single search, for each delay."""
    table = Table(title="A chart without prefetch: five reads and searches, and one by component")
    for heading in ("delay ms", "search p50 ms", "call p50", "call p95", "overhead p50", "goal", "call / search"):
        table.add_column(heading, justify="right")
    ours, theirs = (http.client.HTTPConnection("127.0.0.1", port) for port in (service, fhir))
    for delay in delays:
        body = unprefetched(f"http://127.0.0.1:{fhir}/fhir/{delay}")
        for _ in range(10):  # both processes of the service have met the server by then
            call(ours, body)
        alone, whole = [], []
        for _ in track(range(calls), description=f"{delay} ms", console=console, transient=True):
            alone.append(search(theirs, delay))
            whole.append(call(ours, body))
        one, all_of_them = percentile(alone, 50), percentile(whole, 50)
        table.add_row(
            str(delay),
            *(f"{value:.1f}" for value in (one, all_of_them, percentile(whole, 95), all_of_them - one)),
            f"{max(GOAL_MS, GOAL_SHARE * one):.1f}",
            f"{all_of_them / one:.2f}",
        )
    return table


@contextmanager
def hanging(service: int, fhir: int) -> Iterator[None]:
    """Charts that wait for a server that accepts connections and never answers, all the while."""
    over = threading.Event()
    body = unprefetched(f"http://127.0.0.1:{fhir}/fhir/dead")

    def wait() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service)
        while not over.is_set():
            call(connection, body, http.client.PRECONDITION_FAILED)

    threads = [threading.Thread(target=wait) for _ in range(HANGING)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)  # all of them hang now
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def beside_a_dead_server(service: int, fhir: int, calls: int) -> Table:
    """Charts with full prefetch, while others hang and while none does, in turns."""
    table = Table(title=f"A chart with full prefetch, while {HANGING} charts hang on a dead FHIR server")
    for heading in ("quiet p50 ms", "p95", "hanging p50 ms", "p95", "ratio p50"):
        table.add_column(heading, justify="right")
    connection, body = http.client.HTTPConnection("127.0.0.1", service), request_body(60)
    quiet: list[float] = []
    beside: list[float] = []
    for _ in range(20):
        call(connection, body)
    for _ in range(4):
        quiet += [call(connection, body) for _ in range(calls // 4)]
        with hanging(service, fhir):
            beside += [call(connection, body) for _ in range(calls // 4)]
    figures = [percentile(values, percent) for values in (quiet, beside) for percent in (50, 95)]
    table.add_row(*(f"{figure:.2f}" for figure in figures), f"{figures[2] / figures[0]:.2f}")
    return table


def main() -> None:
    """Run both comparisons and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delays", type=int, nargs="+", default=[50, 150, 300])
    parser.add_argument("--calls", type=int, default=100)
    options = parser.parse_args()
    service, fhir = free_port(), free_port()
    console = Console()
    settings = {"CDS_FHIR_SERVERS": f"http://127.0.0.1:{fhir}/fhir"}
    with (
        running([sys.executable, "-m", "benchmarks.delayed_fhir", str(fhir)], fhir, probe="/fhir/0/metadata"),
        running(serve_command(service), service, settings),
    ):
        console.print(overhead(service, fhir, options.delays, options.calls, console))
        console.print(beside_a_dead_server(service, fhir, options.calls * 4))
    console.print(machine())


if __name__ == "__main__":
    main()
