"""What a launch of the trend app takes, from the EHR's launch to the chart, with 10, 100 and 1,000 results.

The real sandbox on loopback: launch, sign-in, code, tokens, reading, judging, drawing. Each is compared, in the same
run, with the launch for 10 results; the page's weight is told as sent and as a gateway's gzip would send it.
"""

import argparse
import gzip
import http.client
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.serving import machine, percentile
from tests.builders.running_sandbox import Resource, launch_url, put_chart, result, running

ASSETS = ("smart.css", "trend.css", "smart.js", "trend.js")


def chart(patient: str, number: int) -> list[Resource]:
    """Both counts over one year, every seventh leukocyte count low."""
    kinds = ("wbc", "plt")
    values = (3.1, 210.0)
    return [
        result(patient, kinds[one % 2], values[one % 2] + (0 if one % 7 == 0 else 3), 1 + 360 * one / number)
        for one in range(number)
    ]


def fetch(url: str, cookie: str) -> tuple[http.client.HTTPResponse, bytes]:
    """One request, without following where it leads."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(str(there.hostname), there.port, timeout=60)
    connection.request("GET", f"{there.path}?{there.query}", headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    return answer, answer.read()


def launch(sandbox: str, patient: str) -> tuple[float, float, bytes]:
    """Milliseconds from launch to chart, those of the chart's page alone, and the page."""
    url, cookie = launch_url(sandbox, patient), ""
    began = time.perf_counter()
    while True:
        asked = time.perf_counter()
        answer, body = fetch(url, cookie)
        cookie = (answer.headers["Set-Cookie"] or cookie).partition(";")[0]
        if answer.status == http.client.OK:
            now = time.perf_counter()
            return 1000 * (now - began), 1000 * (now - asked), body
        location = str(answer.headers["Location"])
        url = location if "://" in location else sandbox + location


def measure(sandbox: str, sizes: list[int], times: int, progress: Callable[[range], object]) -> Table:
    """The table of all sizes, launched in turns."""
    table = Table(title="From launch to chart (sandbox on loopback)")
    for heading in ("results", "launch p50 ms", "p95", "of it the chart", "to 10 results", "page kB", "gzip kB"):
        table.add_column(heading, justify="right")
    taken: dict[int, list[tuple[float, float, bytes]]] = {size: [] for size in sizes}
    for size in sizes:
        put_chart(sandbox, f"bench-{size}", chart(f"bench-{size}", size))
        launch(sandbox, f"bench-{size}")
    for _ in progress(range(times)):  # type: ignore[attr-defined]
        for size in sizes:
            taken[size].append(launch(sandbox, f"bench-{size}"))
    least = percentile([whole for whole, _, _ in taken[sizes[0]]], 50)
    for size, runs in taken.items():
        whole, page = [one for one, _, _ in runs], [one for _, one, _ in runs]
        middle, body = percentile(whole, 50), runs[-1][2]
        figures = (middle, percentile(whole, 95), percentile(page, 50))
        weights = (len(body) / 1000, len(gzip.compress(body)) / 1000)
        table.add_row(
            str(size),
            *(f"{one:.0f}" for one in figures),
            f"{middle / least:.2f}",
            *(f"{one:.0f}" for one in weights),
        )
    return table


def main() -> None:
    """Start the sandbox, launch, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--times", type=int, default=15)
    options = parser.parse_args()
    console = Console()
    with running() as (_, sandbox, _):
        table = measure(
            sandbox,
            options.sizes,
            options.times,
            lambda rounds: track(rounds, description="launches", console=console, transient=True),
        )
        assets = sum(len(fetch(f"{sandbox}/smart/static/{name}", "")[1]) for name in ASSETS)
    console.print(table)
    console.print(f"Style sheets and scripts, once, then kept by the browser: {assets / 1000:.1f} kB. {machine()}")


if __name__ == "__main__":
    main()
