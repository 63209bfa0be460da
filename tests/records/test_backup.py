"""Backup and restore as docs/how-to/keep-the-records.md describes them, and what was kept is there again."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from tests.builders.postgresql import PostgresServer
from tests.builders.records import issued_card

WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BEFORE = FeedbackEntry(
    "0f8fad5b-d9cb-469f-a165-70867728950e", "overridden", WHEN, user_comment="Synthetic: bekannt 已知"
)
AFTER = FeedbackEntry("1f8fad5b-d9cb-469f-a165-70867728950e", "overridden", WHEN)


def _fill(url: str) -> None:
    stores = open_stores(url, "mark")
    stores.issued_cards.record([issued_card()])
    stores.feedback.store([BEFORE], WHEN, "cytopenia-review")
    stores.close()


def _assert_restored(url: str) -> None:
    """All that was there at the time of the backup, nothing later; and work goes on, without a row twice."""
    migrate(url)
    stores = open_stores(url, "mark")
    stores.feedback.store([BEFORE, AFTER], WHEN, "cytopenia-review")
    told = [(told["card"], told["foreignCard"]) for told in stores.feedback.export()]
    assert told == [(BEFORE.card, False), (AFTER.card, True)]
    stores.close()


def test_the_file_is_backed_up_while_it_is_used_and_put_in_its_place(sqlite_file: Path, sqlite_url: str) -> None:
    _fill(sqlite_url)
    in_use = open_stores(sqlite_url)
    with in_use.database.reading(), closing(sqlite3.connect(sqlite_file)) as source:
        with closing(sqlite3.connect(sqlite_file.with_suffix(".backup"))) as target:
            source.backup(target)  # what the command .backup of the sqlite3 shell does
        in_use.feedback.store([AFTER], WHEN, "cytopenia-review")
    in_use.close()
    for leftover in sqlite_file.parent.glob(f"{sqlite_file.name}*"):
        leftover.unlink()
    sqlite_file.with_suffix(".backup").rename(sqlite_file)
    _assert_restored(sqlite_url)


def test_a_server_is_dumped_and_restored_into_a_database_of_another_name(postgresql: PostgresServer) -> None:
    url = postgresql.create_database()
    migrate(url)
    _fill(url)
    dump = str(postgresql.folder / "cds.dump")
    postgresql.run("pg_dump", "--format=custom", f"--file={dump}", url.partition("@/")[2].partition("?")[0])
    restored = postgresql.create_database()
    name = restored.partition("@/")[2].partition("?")[0]
    postgresql.run("pg_restore", f"--dbname={name}", "--exit-on-error", dump)
    _assert_restored(restored)
