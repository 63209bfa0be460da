"""The database is made and migrated once, whoever starts first, and is opened as safely as SQLite can be."""

import os
import re
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import QueuePool, text

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.database import VERSION, Database
from cds_service.records.housekeeping import purge_older
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from cds_service.settings import Settings
from tests.builders.postgresql import PostgresServer


def test_a_new_database_is_private_and_has_the_version_of_this_software(tmp_path: Path) -> None:
    file = tmp_path / "feedback.sqlite3"
    assert migrate(f"sqlite:///{file}") == migrate(f"sqlite:///{file}") == VERSION
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_connection_waits_keeps_references_and_writes_through(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    migrate(url)
    with Database(url, wait_ms=1234).reading() as connection:
        told = [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")]
        waits = connection.scalar(text("PRAGMA busy_timeout"))
    assert told == ["wal", 1, 2]
    assert waits == 1234


def test_what_need_not_outlive_a_power_cut_does_not_wait_for_the_disk(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    with database.reading() as connection:
        told = [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")]
    database.close()
    assert told == ["wal", 1, 1]


def test_a_kept_connection_is_given_up_when_its_file_is_replaced_or_removed(
    sqlite_url: str, sqlite_file: Path, tmp_path: Path
) -> None:
    database = Database(sqlite_url, durable=False)
    assert database.answers()
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    migrate(other)
    with Database(other).writing() as connection:
        connection.execute(text("CREATE TABLE marker (x INTEGER)"))
    (tmp_path / "other.sqlite3").replace(sqlite_file)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM marker")) == 0, "the file that is there now is read"
    sqlite_file.unlink()
    assert not database.answers()
    with pytest.raises(StoreUnavailable), database.writing() as connection:
        connection.execute(text("DELETE FROM used_tokens"))
    assert not sqlite_file.exists()
    database.close()


def test_a_forked_process_takes_no_kept_connection_with_it(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    with database.reading() as connection:
        kept = connection.connection.driver_connection
    child = os.fork()
    if child == 0:
        with database.reading() as connection:
            os._exit(int(connection.connection.driver_connection is kept))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    database.close()


def test_a_relative_file_lies_where_the_program_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    migrate(Settings().database_url.get_secret_value())
    assert (tmp_path / "cytopenia-cds.sqlite3").exists()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "feedback.sqlite3"
    migrate(f"sqlite:///{file}")
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        migrate(f"sqlite:///{file}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "nosuch:///x",
        "postgres",
        "mysql+pymysql://h/x",
        "postgresql+pg8000://h/x",
    ],
)
def test_an_address_that_can_not_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="CDS_DATABASE_URL"):
        Database(url)


def test_a_place_that_can_not_be_written_is_said_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        migrate(f"sqlite:///{tmp_path}/no-such-directory/feedback.sqlite3")
    assert "CDS_DATABASE_URL" in refused.value.message
    assert "no-such-directory" not in refused.value.message


def test_a_process_that_forks_shares_no_connection(url: str) -> None:
    """Both go on working, with answers of their own."""
    database = Database(url)
    assert database.answers()
    child = os.fork()
    if child == 0:
        os._exit(0 if all(database.answers() for _ in range(20)) else 1)
    assert all(database.answers() for _ in range(20))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.answers()
    database.close()


def test_what_was_deleted_is_overwritten(sqlite_file: Path, sqlite_url: str) -> None:
    marker = b"Synthetic marker of a comment"
    stores = open_stores(sqlite_url)
    when = datetime(2026, 1, 15, tzinfo=UTC)
    stores.feedback.store([FeedbackEntry("x", "overridden", when, user_comment=marker.decode())], when, "s")
    assert any(marker in path.read_bytes() for path in sqlite_file.parent.iterdir())
    list(purge_older(stores.database, "feedback", when + timedelta(days=1)))
    stores.close()
    assert not any(marker in path.read_bytes() for path in sqlite_file.parent.iterdir())


def test_a_worker_opens_as_many_connections_as_the_page_of_capacity_says(postgresql: PostgresServer) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations" / "capacity.md").read_text(encoding="utf-8")
    said = re.search(r"measured, (\d+) at most \|.*\n\| opened at worst \| (\d+) \|", page)
    assert said
    stores = open_stores(postgresql.url("never-asked"))
    pools = [stores.database._engine.pool, stores.quick._engine.pool, stores.quick._reader.pool]
    kept = [pool.size() for pool in pools if isinstance(pool, QueuePool)]
    more = [pool._max_overflow for pool in pools if isinstance(pool, QueuePool)]
    assert (sum(kept), sum(kept) + sum(more)) == (int(said[1]), int(said[2]))
    stores.close()
