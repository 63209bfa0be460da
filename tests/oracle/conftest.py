"""The whole service beside the naive second reading of the criteria."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.oracle import charts
from tests.oracle.oracle import Lists

KNOWLEDGE = Path(__file__).parents[2].parent / "shared" / "knowledge"


@pytest.fixture(scope="session")
def lists() -> Lists:
    """The raw code lists, which the project's own knowledge was made from."""
    if not (KNOWLEDGE / "causes.csv").is_file():
        pytest.skip("the raw code lists are not at ../shared/knowledge")
    return Lists(KNOWLEDGE)


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of the service whose clock stands at the charts' reference time."""
    database: Path = tmp_path_factory.mktemp("oracle") / "feedback.sqlite3"
    settings = Settings(auth="off", database_url=f"sqlite:///{database}")
    with create_app(settings, clock=lambda: charts.AS_OF).test_client() as test_client:
        yield test_client
