"""The two databases under the soak, and how each is locked, filled up, and made to vanish."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import text

from cds_service.records.database import PATIENT_WAIT_MS, Database
from cds_service.records.migrate import migrate
from tests.builders.postgresql import PostgresServer, postgresql_server
from tests.crash.service import Service

MEGABYTE = 1024 * 1024
WAL_SEGMENT = 16 * MEGABYTE


class SoakedDatabase(Protocol):
    """One database that faults are done to."""

    @property
    def url(self) -> str:
        """Its CDS_DATABASE_URL."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else can write feedback, cards or audit entries meanwhile."""
        ...

    def full(self, service: Service) -> AbstractContextManager[None]:
        """No file can grow meanwhile."""
        ...

    def gone(self) -> AbstractContextManager[None]:
        """It can't be reached meanwhile, and comes back from a crash."""
        ...


@dataclass(frozen=True)
class SqliteFile:
    """The embedded database."""

    file: Path

    @property
    def url(self) -> str:
        """Its CDS_DATABASE_URL."""
        return f"sqlite:///{self.file}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A writer that doesn't come to an end."""
        with _open(self.url) as database, database.writing():
            yield

    @contextmanager
    def full(self, service: Service) -> Iterator[None]:
        """The service's processes can't make a file larger than the log ahead of the database is already."""
        service.limit_files(64 * 1024)
        yield
        service.limit_files(None)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Its folder has another name: whoever has it open may end in peace, nobody else finds any part of it."""
        away = self.file.parent.rename(self.file.parent.with_suffix(".away"))
        yield
        away.rename(self.file.parent)


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of a PostgreSQL of our own."""

    server: PostgresServer
    url: str

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A writer that doesn't come to an end."""
        with _open(self.url) as database, database.writing() as connection:
            connection.execute(text("LOCK TABLE feedback, issued_cards, audit_trail IN SHARE MODE"))
            yield

    @contextmanager
    def full(self, service: Service) -> Iterator[None]:  # noqa: ARG002 - it is the server that writes here
        """The table is larger than a segment of the write-ahead log, and no file may grow beyond that size."""
        self._fill()
        self.server.limit_files(WAL_SEGMENT)
        yield
        self.server.limit_files(None)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Crashed, and then recovered."""
        self.server.stop("immediate")
        yield
        self.server.start()

    def _fill(self) -> None:
        columns = "digest, service, card, outcome, outcome_timestamp, accepted_suggestions, user_comment, received_at"
        values = "md5(random()::text), 's', 'filler', 'overridden', now(), '[]', repeat(md5(n::text), 30), now()"
        with _open(self.url) as database, database.writing() as connection:
            connection.execute(
                text(f"INSERT INTO feedback ({columns}) SELECT {values} FROM generate_series(1, 20000) n")
            )
        with _open(self.url) as database, database.reading() as connection:
            assert (connection.scalar(text("SELECT pg_relation_size('feedback')")) or 0) > WAL_SEGMENT


@contextmanager
def soaked(kind: str, folder: Path) -> Iterator[SoakedDatabase]:
    """A database of this kind, `sqlite` or `postgresql`, gone afterwards."""
    with postgresql_server() if kind == "postgresql" else nullcontext() as server:
        if server is None:
            (folder / "database").mkdir()
            yield SqliteFile(folder / "database" / "records.sqlite3")
        else:
            url = server.create_database()
            migrate(url)
            yield PostgresDatabase(server, url)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _open(url: str) -> Iterator[Database]:
    database = Database(url, PATIENT_WAIT_MS)
    yield database
    database.close()
