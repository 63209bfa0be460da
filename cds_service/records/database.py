"""The database: how it is read and written. Knows no table.

It writes through to the disk at each commit: what is acknowledged survives a power cut. Every wait has an end; a
database that is locked, full or gone is one error, `StoreUnavailable`, and nothing of the transaction is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Insert, Row, Select, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.engines import is_file, open_engine, open_reader, parse_url
from cds_service.records.existence import Existence
from cds_service.records.forks import in_each_child

WAIT_MS = 1500
"""How long a call waits for a lock, a statement or a free connection before it gives up."""
PATIENT_WAIT_MS = 600_000
"""The same for a command: nobody is waiting for a card."""
VERSION = max(step.stem[1:5] for step in (Path(__file__).parent / "migrations" / "versions").glob("m[0-9]*.py"))
"""The last step that this software has; steps are numbered (m0002_memory.py), so that they compare."""
_NOT_STORED = "The database could not be written just now; nothing was kept, send it again."
_NOT_READ = "The database could not be read; check CDS_DATABASE_URL."


class RowRefused(StoreUnavailable):
    """What was to be kept can't be, now or later; the database works."""


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
        self._engine = open_engine(self.url, wait_ms, durable)
        self._reader = open_reader(self.url, wait_ms)
        self._writer = self._engine.execution_options(writes=True)
        in_each_child(self._forget_connections)

    @contextmanager
    def writing(self, refusal: str = _NOT_STORED) -> Iterator[Connection]:
        """One transaction, committed at its end: on disk when this returns, or none of it.

        Raises:
            StoreUnavailable: nothing was kept (locked, gone, full, read-only).
            RowRefused: nothing was kept, since the database takes no such row.
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise (RowRefused if _is_about_the_row(error) else StoreUnavailable)(refusal) from None

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

    def look_up(self, wanted: Select[Any], told: Mapping[str, object]) -> Sequence[Row[Any]]:
        """The rows of one statement by these parameters, in one round trip: outside of any transaction.

        A statement made once is compiled once. A connection that turns out to be dead is replaced, and asked again.

        Raises:
            StoreUnavailable: it can't be read.
        """
        for attempt in (1, 2):
            try:
                with self._reader.connect() as connection:
                    return connection.execute(wanted, told).all()
            except SQLAlchemyError as error:
                if attempt == 2 or not isinstance(error, DBAPIError) or not error.connection_invalidated:
                    raise StoreUnavailable(_NOT_READ) from None
        raise AssertionError

    def existence(self, wanted: Select[Any]) -> Existence:
        """Tells, for texts as parameters, whether this statement may find a row."""
        return Existence(self._reader, wanted)

    def insert_new(self, table: Table, *unique: str) -> Insert:
        """An INSERT that leaves alone a row that is there already, by these columns."""
        if is_file(self.url):
            return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)

    def version(self) -> str | None:
        """Of the steps that have been run; None where it can't be read, or none was."""
        try:
            with self.reading() as connection:
                version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        except StoreUnavailable:
            return None
        return version

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
        self._reader.dispose()

    def _forget_connections(self) -> None:
        """A connection shared by two processes would mix up their answers."""
        self._engine.dispose(close=False)
        self._reader.dispose(close=False)


def _is_about_the_row(error: SQLAlchemyError) -> bool:
    """A value that the table, the database or its driver takes from nobody."""
    before_it_was_sent = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return before_it_was_sent or isinstance(error, IntegrityError | DataError)
