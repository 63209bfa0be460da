"""Opening and migrating the database. Knows no feedback.

SQLite runs in WAL mode, so that an export and several workers don't wait for each other, and writes through to the
disk at each commit: what is acknowledged survives a power cut.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.feedback_store.tables import MIGRATIONS, SchemaVersion

BUSY_TIMEOUT_MS = 3000
"""How long a writer waits for another one before it gives up."""


def open_database(url: str) -> Engine:
    """Make ready to connect; nothing is opened yet, so the engine may be made before a process forks.

    Raises:
        ValueError: the URL can't be understood, or names a database that forgets everything at once.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        try:
            return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
        except ImportError:
            raise ValueError("CDS_DATABASE_URL names a database whose Python driver is not installed") from None
    # A connection a transaction: a file that was replaced or removed is noticed, not written to in the dark.
    # mode=rw: only `migrate` makes a database; one that vanished must not come back empty.
    existing = f"file:{quote(str(_file_of(parsed)))}"
    engine = create_engine(
        parsed.set(database=existing, query={"mode": "rw", "uri": "true"}),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def migrate(url: str) -> int:
    """Create the database, or bring an older one to this software's version; safe to run by several processes at once.

    Returns:
        The version it now has.

    Raises:
        ValueError: see `open_database`.
        StoreUnavailable: the database can't be opened or written, or is newer than this software.
    """
    parsed = _parse(url)
    engine = open_database(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            with _one_at_a_time(_file_of(parsed)):
                return _migrate(engine)
        return _migrate(engine)
    except (SQLAlchemyError, OSError):
        raise StoreUnavailable("The database could not be opened or written; check CDS_DATABASE_URL.") from None
    finally:
        engine.dispose()


def _migrate(engine: Engine) -> int:
    with engine.begin() as connection:
        SchemaVersion.metadata.tables["schema_version"].create(connection, checkfirst=True)
        version = connection.scalar(select(SchemaVersion.version)) or 0
        if version > len(MIGRATIONS):
            raise StoreUnavailable("The database was made by a newer version of this software; install that version.")
        for step in MIGRATIONS[version:]:
            step(connection)
        if version != len(MIGRATIONS):
            _record_version(connection, len(MIGRATIONS))
    return len(MIGRATIONS)


def _record_version(connection: Connection, version: int) -> None:
    connection.execute(delete(SchemaVersion))
    connection.execute(insert(SchemaVersion).values(version=version))


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Hold other processes off the making of a SQLite file; the system lets go of the lock when a process dies."""
    with Path(f"{file}-lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file.touch(mode=0o600)  # comments may hold patient data
        yield


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, SQLAlchemyError):
        raise ValueError("CDS_DATABASE_URL is not a database URL such as sqlite:///feedback.sqlite3") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError("CDS_DATABASE_URL names a kind of database that is not offered; use SQLite or PostgreSQL")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ValueError("CDS_DATABASE_URL names a database in memory, which would forget all feedback; name a file")
    return parsed


def _file_of(url: URL) -> Path:
    return Path(str(url.database)).absolute()


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
