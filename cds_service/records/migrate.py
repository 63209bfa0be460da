"""The database, made or brought to this software's version by Alembic's steps. Knows no row."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.database import PATIENT_WAIT_MS, Database
from cds_service.records.engines import file_of, is_file

_NOT_MADE = "The database could not be opened or written; check CDS_DATABASE_URL."
_STEPS = Path(__file__).parent / "migrations"
_LOCK = 0x6379746F
"""Of PostgreSQL's advisory locks: any number, always the same."""


def migrate(url: str) -> str:
    """Create the database, or bring an older one to this software's version; safe to run by several processes at once.

    Returns:
        The version it now has.

    Raises:
        ValueError: see `Database`.
        StoreUnavailable: the database can't be opened or written, or is newer than this software.
    """
    database = Database(url, PATIENT_WAIT_MS)
    try:
        alone = _file_of_our_own(file_of(database.url)) if is_file(database.url) else nullcontext()
        with alone, database.writing(_NOT_MADE) as connection:
            return _upgrade(connection)
    except OSError:
        raise StoreUnavailable(_NOT_MADE) from None
    finally:
        database.close()


def alembic_settings(connection: Connection) -> Config:
    """What Alembic needs to run our steps on this connection."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    return settings


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    settings = alembic_settings(connection)
    newest = str(ScriptDirectory.from_config(settings).get_current_head())
    _refuse_newer(connection, newest)
    command.upgrade(settings, "head")
    return newest


def _refuse_newer(connection: Connection, newest: str) -> None:
    """Revisions are numbered, so that they compare; the numbered steps before Alembic ended at 1."""
    version = MigrationContext.configure(connection).get_current_revision()
    if version is None and inspect(connection).has_table("schema_version"):
        steps: int = connection.scalar(text("SELECT max(version) FROM schema_version")) or 0
        version, newest = f"{steps:04}", "0001"
    if version is not None and version > newest:
        raise StoreUnavailable("The database was made by a newer version of this software; install that version.")


@contextmanager
def _file_of_our_own(file: Path) -> Iterator[None]:
    """Hold other processes off the making of a SQLite file; the system lets go of the lock when a process dies."""
    with Path(f"{file}-lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file.touch(mode=0o600)  # comments may hold patient data
        yield
