"""How a database is opened, by its URL. Knows no table, and reads nothing.

SQLite runs in WAL mode, so that an export and several workers don't wait for each other.
"""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from cds_service.cds_hooks.errors import StoreUnavailable

KEPT, AT_WORST = 5, 15
"""Connections to PostgreSQL: what a pool keeps, and what it may have open for moments."""


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


def open_engine(url: URL, wait_ms: int, durable: bool) -> Engine:
    """For transactions; `writes=True` among its execution options makes one a writer's."""
    if not is_file(url):
        return _postgresql(url, wait_ms, durable, pool_pre_ping=True)
    engine = _sqlite(url, wait_ms, durable)
    event.listen(engine, "begin", _begin)
    return engine


def open_reader(url: URL, wait_ms: int) -> Engine:
    """For single statements that read: nothing is said to the database but the statement."""
    open_one = _sqlite if is_file(url) else _postgresql
    return open_one(url, wait_ms, False, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def _sqlite(url: URL, wait_ms: int, durable: bool, **options: object) -> Engine:
    # A connection a transaction, or a look at the file: one that was replaced or removed is noticed, not written to in
    # the dark. mode=rw: only `migrate` makes a database; one that vanished must not come back empty.
    existing = f"file:{quote(str(file_of(url)))}"
    engine = create_engine(
        url.set(database=existing, query={"mode": "rw", "uri": "true"}),
        hide_parameters=True,
        connect_args={"timeout": wait_ms / 1000},
        **({"poolclass": NullPool} if durable else {"poolclass": QueuePool, "max_overflow": -1}),
        **options,
    )
    event.listen(engine, "connect", partial(_prepare, "FULL" if durable else "NORMAL"))
    if not durable:
        _keep_to_the_file(engine, file_of(url))
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


def _postgresql(url: URL, wait_ms: int, durable: bool, **options: object) -> Engine:
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    session = [f"-c {limit}={wait_ms}" for limit in limits] + ([] if durable else ["-c synchronous_commit=off"])
    try:
        engine = create_engine(
            url,
            pool_timeout=wait_ms / 1000,
            pool_size=KEPT,
            max_overflow=AT_WORST - KEPT,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 2,
                "options": " ".join(session),
                "tcp_user_timeout": wait_ms,
                "application_name": "cytopenia-cds",
            },
            **options,
        )
    except ImportError:
        raise ValueError(
            "CDS_DATABASE_URL names PostgreSQL, whose driver is not installed: pip install cytopenia-cds[postgresql]"
        ) from None
    event.listen(engine, "connect", _refuse_other_encodings, insert=True)  # before the library asks it anything
    return engine


def _refuse_other_encodings(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """With SQL_ASCII the driver gives bytes for text; what LATIN1 and its like can't hold would be refused later."""
    driver: Any = entry.driver_connection
    encoding = driver.info.parameter_status("server_encoding")
    if encoding not in {"UTF8", None}:
        raise StoreUnavailable(
            f"CDS_DATABASE_URL: the database's encoding is {encoding}, which can't keep every text; "
            "make one with `createdb --encoding=UTF8 --template=template0 NAME`."
        )
