"""An edge over a fake service and a fake store, with the clock held still."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.web.edge import Edge
from cds_service.web.flask_app import create_edge
from cds_service.web.request_log import configure_logging
from tests.builders.fake_service import AS_OF, SERVICE_ID, FakeService, FakeStore

LIMIT = 64 * 1024
OPS_TOKEN = "synthetic-operator-token"
MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def make_client(service: FakeService, store: FakeStore) -> MakeClient:
    """Makes a client of an edge; keyword arguments replace parts of it."""

    def make(**parts: object) -> FlaskClient:
        defaults: dict[str, object] = {
            "services": {SERVICE_ID: service},
            "feedback_store": store,
            "clock": lambda: AS_OF,
            "max_body_bytes": LIMIT,
            "ops_token": OPS_TOKEN,
        }
        return create_edge(Edge(**(defaults | parts))).test_client()  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Any:
    """Reads the log lines written so far."""
    configure_logging("info")

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capfd.readouterr().err.splitlines()]

    return read
