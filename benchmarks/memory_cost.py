"""What memory and the audit trail cost a call in processor time, on each database, interleaved in one run.

Each call is about another patient and gets a card, which is the dearest case: looked up, kept, and told to the trail.
The time is that of the whole process, so that what is written behind the answers counts: at the full rate, when rows of
many calls are written together, and one call at a time, each written before the next comes, as at night. The database's
own process, where it has one, is not counted.
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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient
from rich.console import Console
from rich.table import Table

from benchmarks.payload import HOOK_INSTANCE, PATIENT_ID, request_body
from cds_service.app import build_parts, create_app
from cds_service.records.migrate import migrate
from cds_service.settings import Settings
from tests.builders.postgresql import find_programs, postgresql_server

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATH = "/cds-services/cytopenia-review"
NEITHER = "neither"
KEPT = {NEITHER: (False, False), "memory": (True, False), "memory and audit": (True, True)}
BLOCK = 20
"""Calls of one kind between those of the others."""
LONG = 60.0


@dataclass
class Service:
    """A service in this process, and what its calls took (milliseconds, by block)."""

    database: str
    kept: str
    url: str
    writes: str
    together: list[float] = field(default_factory=list)
    one_by_one: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        memory, audit = KEPT[self.kept]
        settings = Settings(
            auth="off", database_url=self.url, memory=memory, audit=audit, records_writes=self.writes, log_level="error"
        )
        parts = build_parts(settings, lambda: NOW)
        self._write_rows = parts.write_rows
        self._client = create_app(settings, lambda: NOW, parts).test_client()

    def measure(self, body: bytes) -> None:
        """A block of each kind."""
        self.together.append(self._block(body, one_by_one=False))
        self.one_by_one.append(self._block(body, one_by_one=True))

    def _block(self, body: bytes, one_by_one: bool) -> float:
        calls = [about_another(body) for _ in range(BLOCK)]
        began = time.process_time()
        for call in calls:
            _call(self._client, call)
            if one_by_one:
                self._write_rows(LONG)
        self._write_rows(LONG)
        return (time.process_time() - began) * 1000 / BLOCK


def about_another(body: bytes) -> bytes:
    """The same call about a patient of its own, with a hookInstance of its own."""
    call = body.replace(HOOK_INSTANCE.encode(), str(uuid.uuid4()).encode())
    return call.replace(PATIENT_ID.encode(), f"synthetic-{uuid.uuid4().hex[:8]}".encode())


def _call(client: FlaskClient, body: bytes) -> None:
    response = client.post(PATH, data=body, content_type="application/json")
    if response.status_code != 200 or b'"uuid"' not in response.data:
        raise SystemExit("no card was given")


@contextmanager
def _services(writes: str) -> Iterator[list[Service]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql_server() if find_programs() else nullcontext() as server,
    ):
        urls = {"SQLite": f"sqlite:///{Path(folder)}/records.sqlite3"}
        if server is not None:
            urls["PostgreSQL"] = server.create_database()
        for url in urls.values():
            migrate(url)
        yield [Service(name, kept, url, writes) for name, url in urls.items() for kept in KEPT]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--observations", type=int, default=20)
    parser.add_argument("--writes", choices=("behind", "before"), default="behind", help="CDS_RECORDS_WRITES")
    told = parser.parse_args()
    body = request_body(told.observations, NOW)
    with _services(told.writes) as services:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        for number in range(told.calls // BLOCK + 1):
            for service in services:
                service.measure(body)
                if not number:  # what is done once
                    service.together.clear()
                    service.one_by_one.clear()
    _print(services, told.observations)


def _print(services: list[Service], observations: int) -> None:
    title = f"CPU ms of a call with {observations} Observations, one core, Python {platform.python_version()}"
    table = Table(title=title)
    for column in ("database", "kept", "full rate", "more than without", "one at a time", "more than without"):
        table.add_column(column)
    without: dict[str, Service] = {}
    for one in services:
        other = without.setdefault(one.database, one)
        table.add_row(
            one.database, one.kept,
            *_compared(one.together, other.together), *_compared(one.one_by_one, other.one_by_one),
        )  # fmt: skip
    Console().print(table)


def _compared(values: list[float], without: list[float]) -> tuple[str, str]:
    """The median, and the median difference of blocks that followed each other."""
    more = statistics.median(value - other for value, other in zip(values, without, strict=True))
    return f"{statistics.median(values):.2f}", f"{more:+.2f}"


if __name__ == "__main__":
    main()
