"""The database is made and migrated once, whoever starts first, and is opened as safely as SQLite can be."""

import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.database import Database
from cds_service.records.migrate import migrate
from cds_service.settings import Settings


def test_a_new_database_is_private_and_has_the_version_of_this_software(tmp_path: Path) -> None:
    file = tmp_path / "feedback.sqlite3"
    assert migrate(f"sqlite:///{file}") == migrate(f"sqlite:///{file}") == "0002"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_connection_waits_keeps_references_and_writes_through(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    migrate(url)
    with Database(url).reading() as connection:
        told = [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")]
        waits = connection.scalar(text("PRAGMA busy_timeout"))
    assert told == ["wal", 1, 2]
    assert waits is not None
    assert waits >= 1000


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
