"""The service with the app registered at a fake EHR, and browsers to open it with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.app import build_parts, create_app
from cds_service.settings import Settings
from cds_service.web.request_log import log_call
from tests.builders.behind import written
from tests.smart_app.fake_ehr import CLIENT, TODAY, FakeEhr, fake_ehr

PUBLIC = "https://cds.example.org"
PSEUDONYM_KEY = "synthetic-pseudonym-key"


@pytest.fixture(scope="module")
def running_ehr() -> Iterator[FakeEhr]:
    with fake_ehr() as ehr:
        yield ehr


@pytest.fixture
def ehr(running_ehr: FakeEhr) -> FakeEhr:
    """The EHR as it usually is."""
    fresh = FakeEhr(running_ehr.url, running_ehr.key)
    vars(running_ehr).update(vars(fresh))
    return running_ehr


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = TODAY

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Browser:
    """A browser with cookies of its own."""

    http: FlaskClient
    ehr: FakeEhr

    def launch(self, launch: str | None = "opaque", iss: str | None = None) -> TestResponse:
        """Open the app from the EHR."""
        asked = {"iss": iss or self.ehr.fhir} | ({"launch": launch} if launch else {})
        return self.http.get("/smart/launch", query_string=asked, base_url=PUBLIC)

    def sent_to(self, answer: TestResponse) -> dict[str, str]:
        """What the authorization server is asked for."""
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return dict(parse_qsl(urlsplit(answer.location).query))

    def come_back(self, **told: str) -> TestResponse:
        """Return from the authorization server."""
        return self.http.get("/smart/callback", query_string=told, base_url=PUBLIC)

    def open_chart(self, patient: str = "ravi-namuna") -> str:
        """The whole way; the address of the chart."""
        self.ehr.tokens["patient"] = patient
        answer = self.come_back(code="good", state=self.sent_to(self.launch())["state"])
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return urlsplit(answer.location).path

    def read(self, path: str, **asked: str) -> TestResponse:
        return self.http.get(path, query_string=asked, base_url=PUBLIC)


MakeBrowser = Callable[..., Browser]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registration(ehr: FakeEhr) -> str:
    """The registration of the app, as a file says it."""
    return f'[[registration]]\nfhir_server = "{ehr.fhir}"\nclient_id = "{CLIENT}"\n'


@pytest.fixture
def make_browser(ehr: FakeEhr, clock: Clock, registration: str, tmp_path: Path) -> MakeBrowser:
    """Makes browsers; the first call may add lines to the registration."""
    apps: list[Flask] = []

    def make(lines: str = "") -> Browser:
        if not apps:
            file = tmp_path / "registrations.toml"
            file.write_text(registration + lines, encoding="utf-8")
            settings = Settings(
                auth="off", public_url=PUBLIC, smart_registrations=file, session_key="synthetic-session-key",
                database_url=f"sqlite:///{tmp_path}/records.sqlite3", allow_http=True, time_budget_ms=20_000,
                pseudonym_key=PSEUDONYM_KEY,
            )  # fmt: skip
            parts = build_parts(settings, clock)
            apps.append(create_app(settings, clock, parts, (log_call, written(parts))))
        return Browser(apps[0].test_client(), ehr)

    return make


@pytest.fixture
def browser(make_browser: MakeBrowser) -> Browser:
    return make_browser()
