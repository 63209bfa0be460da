"""The database, made or brought to this software's version where it isn't yet. Knows no row."""

# ruff: noqa: PLC0415 - Alembic is imported only where there is something to do for it

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.database import PATIENT_WAIT_MS, VERSION, Database
from cds_service.records.engines import file_of, is_file

_NOT_MADE = "The database could not be opened or written; check CDS_DATABASE_URL."


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
        if database.version() == VERSION:
            return VERSION
        from cds_service.records.upgrade import upgrade

        alone = _file_of_our_own(file_of(database.url)) if is_file(database.url) else nullcontext()
        with alone, database.writing(_NOT_MADE) as connection:
            return upgrade(connection)
    except OSError:
        raise StoreUnavailable(_NOT_MADE) from None
    finally:
        database.close()


@contextmanager
def _file_of_our_own(file: Path) -> Iterator[None]:
    """Hold other processes off the making of a SQLite file; the system lets go of the lock when a process dies."""
    with Path(f"{file}-lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file.touch(mode=0o600)  # comments may hold patient data
        yield
