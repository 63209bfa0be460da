"""What memory and the audit trail cost a call: median of one core, each database, interleaved in one run.

Each call is about another patient and gets a card, which is the dearest case: looked up, kept, and told to the trail.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table

from benchmarks.payload import HOOK_INSTANCE, PATIENT_ID, request_body
from cds_service.app import create_app
from cds_service.records.migrate import migrate
from cds_service.settings import Settings
from tests.builders.postgresql import find_programs, postgresql_server

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATH = "/cds-services/cytopenia-review"
NEITHER = "neither"


def _client(url: str, memory: bool, audit: bool) -> FlaskClient:
    settings = Settings(auth="off", database_url=url, memory=memory, audit=audit, log_level="error", mode="live")
    return create_app(settings, clock=lambda: NOW).test_client()


@contextmanager
def _clients() -> Iterator[dict[tuple[str, str], FlaskClient]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql_server() if find_programs() else nullcontext() as server,
    ):
        urls = {"SQLite": f"sqlite:///{Path(folder)}/records.sqlite3"}
        if server is not None:
            urls["PostgreSQL"] = server.create_database()
        made = {}
        for name, url in urls.items():
            migrate(url)
            made[name, NEITHER] = _client(url, memory=False, audit=False)
            made[name, "memory"] = _client(url, memory=True, audit=False)
            made[name, "memory and audit"] = _client(url, memory=True, audit=True)
        yield made


def about_another(body: bytes) -> bytes:
    """The same call about a patient of its own, with a hookInstance of its own."""
    call = body.replace(HOOK_INSTANCE.encode(), str(uuid.uuid4()).encode())
    return call.replace(PATIENT_ID.encode(), f"synthetic-{uuid.uuid4().hex[:8]}".encode())


def _measure(client: FlaskClient, body: bytes) -> float:
    call = about_another(body)
    began = time.perf_counter()
    response = client.post(PATH, data=call, content_type="application/json")
    taken = (time.perf_counter() - began) * 1000
    if response.status_code != 200 or not response.get_json()["cards"]:
        raise SystemExit("no card was given")
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--observations", type=int, default=20)
    told = parser.parse_args()
    body = request_body(told.observations, NOW)
    with _clients() as clients:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        taken: dict[tuple[str, str], list[float]] = {key: [] for key in clients}
        for number in range(told.calls + 10):
            for key, client in clients.items():
                milliseconds = _measure(client, body)
                if number >= 10:
                    taken[key].append(milliseconds)
    _print(taken, told.observations)


def _print(taken: dict[tuple[str, str], list[float]], observations: int) -> None:
    table = Table(title=f"A call with {observations} Observations, one core, Python {platform.python_version()}")
    for column in ("database", "kept", "median ms", "more than without", "ratio"):
        table.add_column(column)
    for (database, kept), values in taken.items():
        median, without = statistics.median(values), statistics.median(taken[database, NEITHER])
        table.add_row(database, kept, f"{median:.2f}", f"{median - without:+.2f} ms", f"{median / without:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
