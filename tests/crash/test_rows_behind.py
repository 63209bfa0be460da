"""What waits to be written when the service ends: stopped, it is written; killed, it is lost and counted. No more."""

import http.client
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from benchmarks.payload import request_body
from cds_service.records.database import PATIENT_WAIT_MS, Database
from cds_service.records.stores import open_stores
from tests.builders.conversation import FEEDBACK, SERVICE, overridden
from tests.builders.postgresql import find_programs
from tests.crash.databases import SoakedDatabase, soaked
from tests.crash.load import TIMEOUT, another_patient
from tests.crash.service import Service

pytestmark = pytest.mark.server


@contextmanager
def _served(kind: str) -> Iterator[tuple[Service, SoakedDatabase]]:
    """One worker over a database."""
    if kind == "postgresql" and find_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="cds-rows-"))
    with soaked(kind, folder) as database:
        service = Service(folder, database.url, worker_count=1)
        service.start()
        try:
            yield service, database
        finally:
            service.kill()


def _post(service: Service, path: str, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
    connection.request("POST", path, body, {"Content-Type": "application/json", "Connection": "close"})
    response = connection.getresponse()
    told = response.read()
    connection.close()
    assert response.status == 200, told
    return told


def _call(service: Service) -> str:
    """Open a chart; the card's id."""
    (card,) = json.loads(_post(service, SERVICE, another_patient(request_body(10))))["cards"]
    return str(card["uuid"])


def _until(happened: Callable[[], bool]) -> None:
    """Ask again and again; a bound, so that what never happens is an error."""
    ends = monotonic() + TIMEOUT
    while not happened():
        assert monotonic() < ends, "it never happened"


def _refuses_connections(service: Service) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
    try:
        connection.connect()
    except OSError:
        return True
    finally:
        connection.close()
    return False


def _kept(url: str) -> list[str]:
    """The cards that the trail tells of, and that are kept."""
    database = Database(url, PATIENT_WAIT_MS)
    with database.reading() as connection:
        cards = set(connection.exec_driver_sql("SELECT card FROM issued_cards").scalars())
    database.close()
    stores = open_stores(url)
    trail = [card for entry in stores.audit_trail.export() for card in entry.answered["cards"]]  # type: ignore[attr-defined]
    stores.close()
    assert set(trail) == cards
    assert len(trail) == len(cards)
    return trail


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_sigterm_writes_all_that_waits(kind: str) -> None:
    with _served(kind) as (service, database):
        with database.locked():
            cards = [_call(service) for _ in range(7)]
            service.tell_to_end()
            _until(lambda: _refuses_connections(service))
        service.wait_for_end()
        assert _kept(database.url) == cards


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_loses_what_waits_and_no_more_and_it_is_counted(kind: str) -> None:
    with _served(kind) as (service, database):
        before = _call(service)
        _post(service, FEEDBACK, json.dumps({"feedback": [overridden(card=str(uuid.uuid4()))]}).encode())
        with database.locked():
            for _ in range(7):
                _call(service)
            assert service.unaccounted("audit") == service.unaccounted("cards") == 7
            service.kill_worker()
        after = _call(service)
        _until(lambda: service.rows("cards")["written"] == 2)
        assert service.rows("audit") == service.rows("cards") == {"taken": 9, "written": 2, "lost": 0}
        service.terminate()
        assert _kept(database.url) == [before, after]
