"""The sandbox as a real server on a free loopback port, in front of a CDS service that always answers the same."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from cds_service.knowledge.loader import load_knowledge
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import FHIR_PATH, add_sandbox, filled_store, listening
from tests.sandbox.chromium import launched
from tests.sandbox.fake_service import create_fake_service

TODAY = date(2026, 6, 1)


@dataclass
class RunningSandbox:
    """Where the sandbox is, and what its CDS service was sent."""

    url: str
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    feedback: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def fhir(self) -> str:
        return self.url + FHIR_PATH


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    index = load_index(fixture_folder())
    with listening("127.0.0.1", 0) as (listener, url):
        running = RunningSandbox(url)
        app = create_fake_service(running.calls, running.feedback)
        add_sandbox(app, url, index, filled_store(index, TODAY), load_knowledge(None))
        host, port = listener.getsockname()
        server = make_server(host, port, app, threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield running
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as chromium:
        yield chromium
