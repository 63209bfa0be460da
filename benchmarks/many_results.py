"""One call with 20,000 results on one core: seconds of CPU, peak memory, results read per second.

Compact results of about 500 bytes fit under the default limit of a body; the usual form of 1.4 kB needs it raised.
"""

import argparse
import json
import platform
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table

from benchmarks.payload import COUNTS, OTHERS, call_with, observation
from cds_service.app import create_app
from cds_service.settings import Settings

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEPT = ("resourceType", "id", "status", "category", "code", "subject", "effectiveDateTime", "valueQuantity")
PATH = "/cds-services/cytopenia-review"


def results(number: int, compact: bool, only_counts: bool) -> list[dict[str, Any]]:
    """Results of the last 360 days, low ones with values of their own; else one in five is a count."""
    made = []
    for index in range(number):
        kinds = COUNTS if only_counts or index % 10 < 2 else OTHERS
        code, name, unit, value = kinds[index % len(kinds)]
        when = NOW - timedelta(hours=1) - timedelta(days=360) * index / number
        whole = observation(index, code, name, unit, round(value + index % 97 / 100, 2), when)
        made.append({element: whole[element] for element in KEPT} if compact else whole)
    return made


def client(folder: str, max_body_bytes: int = 16_777_216) -> FlaskClient:
    """A client of the service as shipped, with the clock held."""
    settings = Settings(auth="off", database_url=f"sqlite:///{folder}/f.sqlite3", max_body_bytes=max_body_bytes)
    return create_app(settings, clock=lambda: NOW, observers=()).test_client()


def seconds_of_cpu(asked: FlaskClient, body: bytes) -> float:
    """The seconds of CPU that one call takes; SystemExit when it isn't answered with a warning of bicytopenia."""
    began = time.process_time()
    answer = asked.post(PATH, data=body, content_type="application/json")
    seconds = time.process_time() - began
    if answer.status_code != 200 or answer.get_json()["cards"][0]["indicator"] != "warning":
        raise SystemExit(f"answered {answer.status_code} {answer.get_data(as_text=True)[:200]}")
    return seconds


def peak_megabytes() -> float:
    """The most memory this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    table = Table(title=f"{options.results} results in one call, best of {options.calls}, one thread")
    for heading in ("form", "bytes each", "MB", "s CPU", "results/s", "peak MB so far"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        asked = client(folder, max_body_bytes=2**26)
        for form, compact, only_counts in (
            ("compact, one in five a count", True, False),
            ("compact, all counts", True, True),
            ("usual, all counts", False, True),
        ):
            made = results(options.results, compact, only_counts)
            body, each = call_with(made), len(json.dumps(made[0]))
            del made
            best = min(seconds_of_cpu(asked, body) for _ in range(options.calls))
            rate = f"{options.results / best:,.0f}"
            megabytes = f"{len(body) / 1e6:.1f}"
            table.add_row(form, str(each), megabytes, f"{best:.2f}", rate, f"{peak_megabytes():.0f}")
    Console().print(table)
    Console().print(f"{platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
