"""Every test of the records runs on both databases: a file, and a real PostgreSQL started once a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.records.database import Database
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from tests.builders.postgresql import PostgresServer, find_programs, postgresql_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql_server() as server:
        yield server


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A place whose name needs quoting in a URI."""
    return tmp_path / "feed back#.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database that nobody has migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.create_database()


@pytest.fixture
def url(empty_url: str) -> str:
    migrate(empty_url)
    return empty_url


@pytest.fixture
def sqlite_url(sqlite_file: Path) -> str:
    migrate(f"sqlite:///{sqlite_file}")
    return f"sqlite:///{sqlite_file}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def stores(url: str) -> Iterator[Stores]:
    opened = open_stores(url)
    yield opened
    opened.close()
