"""The first schema's databases are adopted with every row; what the steps make is what the program expects."""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.database import Database
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from cds_service.records.tables import Base

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


def test_a_numbered_database_newer_than_the_last_numbered_version_is_left_alone(tmp_path: Path) -> None:
    shutil.copy(BEFORE_ALEMBIC, tmp_path / "old.sqlite3")
    with sqlite3.connect(tmp_path / "old.sqlite3") as raw:
        raw.execute("UPDATE schema_version SET version = 2")
    raw.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        migrate(f"sqlite:///{tmp_path / 'old.sqlite3'}")


@pytest.mark.parametrize("old", [True, False])
def test_the_steps_make_the_tables_that_the_program_expects(tmp_path: Path, old: bool) -> None:
    if old:
        shutil.copy(BEFORE_ALEMBIC, tmp_path / "x.sqlite3")
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    migrate(url)
    with Database(url).reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
