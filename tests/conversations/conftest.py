"""The whole service over Flask's test client, with the clock held at the charts' reference time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import chart


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of the service with embedded defaults and no FHIR server allowed."""
    database: Path = tmp_path_factory.mktemp("conversations") / "feedback.sqlite3"
    settings = Settings(auth="off", database_url=f"sqlite:///{database}")
    with create_app(settings, clock=lambda: chart.AS_OF).test_client() as test_client:
        yield test_client
