"""The contract holds at the edge alone (a fixed card) and for the whole service: each test runs on both."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.composition.parts import Parts
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.conversation import ORIGIN
from tests.builders.fake_service import FakeService, FakeStore


@pytest.fixture(scope="session", params=["edge", "whole service"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of a service whose clock stands still."""
    database: Path = tmp_path_factory.mktemp("contract") / "feedback.sqlite3"
    settings = Settings(auth="off", database_url=f"sqlite:///{database}", allowed_origins=ORIGIN)
    parts = Parts((FakeService(),), FakeStore()) if request.param == "edge" else None
    return create_app(settings, clock=lambda: chart.AS_OF, parts=parts).test_client()
