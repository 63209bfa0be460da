"""The first schema's databases are adopted with every row; what the steps make is what the program expects."""

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import text

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.cli import main
from cds_service.records.database import VERSION, Database
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from cds_service.records.tables import METADATA
from tests.builders.postgresql import PostgresServer

BEFORE_ALEMBIC = Path(__file__).parent / "before_alembic.sqlite3"
"""Three synthetic reports, stored by the program as it was before Alembic (schema_version 1)."""


@pytest.fixture
def adopted(tmp_path: Path) -> str:
    shutil.copy(BEFORE_ALEMBIC, tmp_path / "old.sqlite3")
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    migrate(url)
    return url


def test_a_database_of_the_first_schema_keeps_every_row(adopted: str) -> None:
    migrate(adopted)
    told = list(open_stores(adopted).feedback.export())
    about = {"outcomeTimestamp": "2026-01-15T12:00:00.250000Z", "service": "cytopenia-review"}
    reason = {"code": "already-known", "system": "https://example.org/reasons", "display": "Already known"}
    assert told == [
        {
            "card": "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11",
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": "5e5a4ab2-6a5f-4d0f-8a1a-0f2c2d3b4e55"}],
            "receivedAt": "2026-01-15T12:00:05Z",
            **about,
        },
        {
            "card": "1c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a12",
            "outcome": "overridden",
            "overrideReason": {"reason": reason, "userComment": "Synthetic: bekannt 已知"},
            "receivedAt": "2026-01-15T12:00:05Z",
            **about,
        },
        {
            "card": "2c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a13",
            "outcome": "overridden",
            "receivedAt": "2026-01-16T12:00:05Z",
            **about,
        },
    ]


def test_a_report_told_before_the_migration_is_known_after_it(adopted: str) -> None:
    when = datetime(2026, 1, 15, 12, 0, 0, 250000, tzinfo=UTC)
    again = FeedbackEntry("2c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a13", "overridden", when)
    open_stores(adopted).feedback.store([again], when, "cytopenia-review")
    assert len(list(open_stores(adopted).feedback.export())) == 3


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_every_text_is_refused_by_its_encoding(
    postgresql: PostgresServer, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.create_database(encoding)
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    refused = CliRunner().invoke(main, ["migrate"])
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"Error: CDS_DATABASE_URL: the database's encoding is {encoding}, ")
    assert "createdb --encoding=UTF8" in line
    stores = Database(url)
    assert not stores.answers(), "readiness says so, too, and meets no defect"
    stores.close()


def test_a_numbered_database_newer_than_the_last_numbered_version_is_left_alone(tmp_path: Path) -> None:
    shutil.copy(BEFORE_ALEMBIC, tmp_path / "old.sqlite3")
    with sqlite3.connect(tmp_path / "old.sqlite3") as raw:
        raw.execute("UPDATE schema_version SET version = 2")
    raw.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        migrate(f"sqlite:///{tmp_path / 'old.sqlite3'}")


def test_the_steps_make_the_tables_that_the_program_expects(url: str) -> None:
    assert _differences(url) == []


def test_an_adopted_database_has_the_tables_that_the_program_expects(adopted: str) -> None:
    assert _differences(adopted) == []


def test_the_comparison_finds_a_column_that_is_missing(url: str) -> None:
    with Database(url).writing() as connection:
        connection.execute(text("ALTER TABLE feedback DROP COLUMN foreign_card"))
    assert len(_differences(url)) == 1


@pytest.mark.parametrize(("version", "answers"), [("0001", False), (VERSION, True), ("9999", True)])
def test_a_database_that_was_not_migrated_does_not_answer(url: str, version: str, answers: bool) -> None:
    """A later version does: instances are replaced one after the other, once it has been migrated."""
    database = Database(url)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    assert database.answers() == answers
    database.close()


def test_a_database_that_nobody_made_does_not_answer(empty_url: str) -> None:
    database = Database(empty_url)
    assert not database.answers()
    database.close()


def test_it_may_be_run_by_several_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(migrate, [empty_url] * 4)) == {VERSION}, "the last step, and the one the program asks for"
    assert _differences(empty_url) == []


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    """The first schema's file again, with a name in the way of the second step."""
    file = tmp_path / "old.sqlite3"
    shutil.copy(BEFORE_ALEMBIC, file)
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE audit_trail (x)")
        before = raw.execute("SELECT sql FROM sqlite_master").fetchall()
    raw.close()
    with pytest.raises(StoreUnavailable):
        migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT sql FROM sqlite_master").fetchall() == before
        assert raw.execute("SELECT count(*) FROM feedback").fetchone() == (3,)
    raw.close()


def _differences(url: str) -> list[Any]:
    with Database(url).reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, METADATA))


STARTS = """
import sys
from cds_service.app import create_app
from cds_service.settings import Settings
create_app(Settings(auth="off", database_url=sys.argv[1], migrate="auto"))
print(*({"alembic", "sqlalchemy.orm"} & set(sys.modules)))
"""


def test_a_service_over_a_database_of_this_version_loads_no_more_than_it_needs(url: str) -> None:
    command = [sys.executable, "-c", STARTS, url]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert told.stdout.split() == []
