"""The database: how it is opened, read and written. Knows no table.

SQLite runs in WAL mode, so that an export and several workers don't wait for each other, and writes through to the
disk at each commit: what is acknowledged survives a power cut. Every wait has an end; a database that is locked, full
or gone is one error, `StoreUnavailable`, and nothing of the transaction is kept.
"""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from cds_service.cds_hooks.errors import StoreUnavailable

WAIT_MS = 1500
"""How long a call waits for a lock, a statement or a free connection before it gives up."""
PATIENT_WAIT_MS = 600_000
"""The same for a command: nobody is waiting for a card."""
VERSION = max(step.stem[1:5] for step in (Path(__file__).parent / "migrations" / "versions").glob("m[0-9]*.py"))
"""The last step that this software has; steps are numbered (m0002_memory.py), so that they compare."""
_NOT_STORED = "The database could not be written just now; nothing was kept, send it again."
_NOT_READ = "The database could not be read; check CDS_DATABASE_URL."


class Database:
    """Used by several threads and processes at once. Nothing is opened before it is needed, so it may be made before
    a process forks; a process that forks takes no connection with it.
    """

    def __init__(self, url: str, wait_ms: int | None = None, durable: bool = True) -> None:
        """Take the URL.

        Args:
            url: CDS_DATABASE_URL.
            wait_ms: how long to wait for a lock, a statement or a free connection; WAIT_MS unless told.
            durable: whether what is committed survives a power cut, and not only a crash of the program. Without it a
                commit doesn't wait for the disk, and the embedded database keeps its connections.

        Raises:
            ValueError: the URL can't be understood, or names a database that forgets everything at once.
        """
        self.url = parse_url(url)
        wait_ms = WAIT_MS if wait_ms is None else wait_ms
        self._engine = (
            _sqlite(self.url, wait_ms, durable) if is_file(self.url) else _postgresql(self.url, wait_ms, durable)
        )
        self._writer = self._engine.execution_options(writes=True)

    @contextmanager
    def writing(self, refusal: str = _NOT_STORED) -> Iterator[Connection]:
        """One transaction, committed at its end: on disk when this returns, or none of it.

        Raises:
            StoreUnavailable: nothing was kept (locked, gone, full, read-only).
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except SQLAlchemyError:
            raise StoreUnavailable(refusal) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of what is there.

        Raises:
            StoreUnavailable: it can't be read.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError:
            raise StoreUnavailable(_NOT_READ) from None

    def insert_new(self, table: Table, *unique: str) -> Insert:
        """An INSERT that leaves alone a row that is there already, by these columns."""
        if is_file(self.url):
            return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)

    def answers(self) -> bool:
        """Whether it can be written now, and has been migrated to this version or a later one: a cheap probe.

        It takes a writer's lock and writes nothing; a PostgreSQL that only follows another one says so itself.
        """
        try:
            with self.writing() as connection:
                version = connection.scalar(text("SELECT version_num FROM alembic_version"))
                follows = not is_file(self.url) and connection.scalar(text("SHOW transaction_read_only")) == "on"
        except StoreUnavailable:
            return False
        return version is not None and version >= VERSION and not follows

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def parse_url(url: str) -> URL:
    """A database URL of a kind that is offered.

    Raises:
        ValueError: see `Database`.
    """
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, SQLAlchemyError):
        raise ValueError("CDS_DATABASE_URL is not a database URL such as sqlite:///feedback.sqlite3") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError("CDS_DATABASE_URL names a kind of database that is not offered; use SQLite or PostgreSQL")
    if is_file(parsed) and parsed.database in {None, "", ":memory:"}:
        raise ValueError("CDS_DATABASE_URL names a database in memory, which would forget all feedback; name a file")
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def is_file(url: URL) -> bool:
    """Whether it is the embedded database."""
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path:
    """Where the embedded database lies."""
    return Path(str(url.database)).absolute()


def _sqlite(url: URL, wait_ms: int, durable: bool) -> Engine:
    # A connection a transaction, or a look at the file: one that was replaced or removed is noticed, not written to in
    # the dark. mode=rw: only `migrate` makes a database; one that vanished must not come back empty.
    existing = f"file:{quote(str(file_of(url)))}"
    engine = create_engine(
        url.set(database=existing, query={"mode": "rw", "uri": "true"}),
        hide_parameters=True,
        connect_args={"timeout": wait_ms / 1000},
        **({"poolclass": NullPool} if durable else {"poolclass": QueuePool, "max_overflow": -1}),
    )
    event.listen(engine, "connect", partial(_prepare, "FULL" if durable else "NORMAL"))
    event.listen(engine, "begin", _begin)
    if not durable:
        _keep_to_the_file(engine, file_of(url))
        _forget_connections_in_children(engine)
    return engine


def _keep_to_the_file(engine: Engine, path: Path) -> None:
    """Kept connections are given up when the file they have open is no longer the one at its path."""

    def mark(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _identity(path)

    def check(_: DBAPIConnection, entry: ConnectionPoolEntry, __: object) -> None:
        if entry.info["file"] != _identity(path):
            raise DisconnectionError

    event.listen(engine, "connect", mark)
    event.listen(engine, "checkout", check)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(synchronous: str, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver would begin transactions late, and leave DDL outside of them
    cursor = connection.cursor()
    # secure_delete: what is purged, comments among it, is overwritten and not only unlinked.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"synchronous={synchronous}", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once: one that read first could not wait for it later."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL, wait_ms: int, durable: bool) -> Engine:
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    options = [f"-c {limit}={wait_ms}" for limit in limits] + ([] if durable else ["-c synchronous_commit=off"])
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_timeout=wait_ms / 1000,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 2,
                "options": " ".join(options),
                "tcp_user_timeout": wait_ms,
                "application_name": "cytopenia-cds",
            },
        )
    except ImportError:
        raise ValueError(
            "CDS_DATABASE_URL names PostgreSQL, whose driver is not installed: pip install cytopenia-cds[postgresql]"
        ) from None
    _forget_connections_in_children(engine)
    return engine


def _forget_connections_in_children(engine: Engine) -> None:
    """A connection shared by two processes would mix up their answers."""
    known = weakref.ref(engine)

    def forget() -> None:
        if (kept := known()) is not None:
            kept.dispose(close=False)

    os.register_at_fork(after_in_child=forget)
