"""The whole service while its database is gone: cards are given, feedback is not lost, and the operator is told."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from cds_service.app import build_parts, create_app
from cds_service.cds_hooks.clients import ANYONE
from cds_service.records.database import Database
from cds_service.records.issued_cards import issued_to
from cds_service.records.stores import open_stores
from cds_service.settings import Settings
from tests.builders.behind import LONG
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.chart import AS_OF
from tests.builders.conversation import FEEDBACK, accepted, post, valid_call
from tests.builders.postgresql import PostgresServer


@pytest.fixture
def client(url: str) -> FlaskClient:
    """Of a service that writes before it answers, so that the answer's log line tells all."""
    settings = Settings(auth="off", database_url=url, records_writes="before")
    return create_app(settings, clock=lambda: AS_OF).test_client()


@contextmanager
def _file_gone(file: Path) -> Iterator[None]:
    away = file.rename(file.with_suffix(".away"))
    yield
    away.rename(file)


@contextmanager
def _server_gone(server: PostgresServer) -> Iterator[None]:
    server.stop("immediate")
    try:
        yield
    finally:
        server.start()


@pytest.fixture
def gone(url: str, sqlite_file: Path, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[None]]:
    """Takes the database away, until its context ends."""
    if url.startswith("sqlite"):
        return lambda: _file_gone(sqlite_file)
    server = request.getfixturevalue("postgresql")
    return lambda: _server_gone(server)


def test_calls_are_answered_and_feedback_is_refused_until_it_is_back(
    client: FlaskClient, gone: Callable[[], AbstractContextManager[None]], capsys: pytest.CaptureFixture[str]
) -> None:
    report = {"feedback": [accepted()]}
    assert client.get("/readyz").get_json() == {"status": "ready"}
    with gone():
        answer = post(client, valid_call())
        assert answer.status_code == 200
        assert len(answer.get_json()["cards"]) == 1
        line = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert (line["memory"], line["audit"]) == ("unavailable", "lost"), "the operator reads it in the log"
        refused = post(client, report, FEEDBACK)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert_operation_outcome(refused.get_json(force=True))
        readiness = client.get("/readyz")
        assert (readiness.status_code, readiness.get_json()) == (200, {"status": "degraded"})
    assert client.get("/readyz").get_json() == {"status": "ready"}
    assert post(client, report, FEEDBACK).status_code == 200


def test_what_was_answered_meanwhile_is_kept_once_it_is_back(
    url: str, gone: Callable[[], AbstractContextManager[None]]
) -> None:
    settings = Settings(auth="off", database_url=url)
    parts = build_parts(settings)
    client = create_app(settings, clock=lambda: AS_OF, parts=parts).test_client()
    with gone():
        cards = [card["uuid"] for _ in range(3) for card in post(client, _of_another_instance()).get_json()["cards"]]
        assert not parts.write_rows(LONG)
    assert parts.write_rows(LONG)
    stores = open_stores(url)
    kept = [entry.answered["cards"] for entry in stores.audit_trail.export()]
    assert kept == [[card] for card in cards], "each once, in the order they came"
    with stores.database.reading() as connection:
        assert issued_to(connection, ANYONE, cards) == set(cards)
    stores.close()


def _of_another_instance() -> dict[str, Any]:
    return valid_call(hookInstance=str(uuid.uuid4()))


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Somebody writes, and doesn't come to an end."""
    other = Database(url)
    with other.writing() as connection:
        connection.exec_driver_sql("DELETE FROM used_tokens")
        yield
    other.close()


@contextmanager
def _following(url: str) -> Iterator[None]:
    """The server only follows another one, as after a switch."""
    name = make_url(url).database
    for state in ("on", "off"):
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {state}')
        if state == "on":
            yield


def test_a_database_that_can_be_read_and_not_written_is_not_working(url: str) -> None:
    """Used tokens, feedback and audit are written: a probe that only reads would call it ready."""
    database = Database(url, wait_ms=200)
    assert database.answers()
    with _locked(url) if url.startswith("sqlite") else _following(url):
        other = Database(url, wait_ms=200)
        assert not other.answers()
        other.close()
    database.close()
