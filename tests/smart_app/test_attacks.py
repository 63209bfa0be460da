"""The app under attack: what a browser, a neighbour or an authorization server could try, and what comes of it."""

import json
from typing import Any

import pytest

from cds_service.web.request_log import configure_logging
from tests.smart_app.conftest import PUBLIC, Browser, Clock, MakeBrowser
from tests.smart_app.fake_ehr import FakeEhr

HOSTILE = (
    "\x00",
    "\ud800",
    "x" * 100_000,
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%0d%0aX: y",
    "{{7*7}}",
    "",
)


@pytest.mark.parametrize("member", ["iss", "launch", "state", "code", "error", "error_description", "range"])
def test_no_parameter_breaks_it_or_comes_back(browser: Browser, member: str) -> None:
    for text in HOSTILE:
        for path in ("/smart/launch", "/smart/callback", "/smart/charts/none"):
            asked = {"iss": browser.ehr.fhir, "state": "x"} | {member: text.encode("utf-8", "replace").decode()}
            answer = browser.read(path, **asked)
            page = answer.get_data(as_text=True)
            assert answer.status_code < 500, (path, member, text[:20])
            assert "alert(1)" not in page
            assert "\n" not in (answer.headers.get("Location") or "")


def test_nothing_of_a_callback_leads_elsewhere(browser: Browser) -> None:
    state = browser.sent_to(browser.launch())["state"]
    answer = browser.come_back(
        code="good", state=state, redirect_uri="https://evil.example.org", next="//evil.example.org"
    )
    assert answer.location.startswith("/smart/charts/")


def test_the_answer_of_another_authorization_server_is_refused(browser: Browser, ehr: FakeEhr) -> None:
    state = browser.sent_to(browser.launch())["state"]
    assert browser.come_back(code="good", state=state, iss="https://evil.example.org").status_code == 403
    assert ehr.asked == [], "the code goes nowhere"
    state = browser.sent_to(browser.launch())["state"]
    assert browser.come_back(code="good", state=state, iss=ehr.url).status_code == 303


def test_a_planted_cookie_opens_nothing(make_browser: MakeBrowser) -> None:
    mine, planted = make_browser(), make_browser()
    path = mine.open_chart()
    for value in ("x", '"x"', "W10.x", "bnVsbA.x"):
        planted.http.set_cookie("__Host-cds-smart", value, domain="cds.example.org", secure=True)
        assert planted.read(path).status_code == 403
    cookie = mine.launch().headers["Set-Cookie"]
    assert cookie.startswith("__Host-cds-smart=")
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("path", ["/smart/launch", "/smart/callback", "/smart/charts/x"])
def test_nothing_is_changed_by_a_form_from_elsewhere(browser: Browser, path: str) -> None:
    assert browser.http.post(path, base_url=PUBLIC).status_code == 405


CONFIGURATIONS: dict[str, Any] = {
    "keys elsewhere": {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
    "a file": {"token_endpoint": "file:///etc/passwd"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "another port": {"token_endpoint": "http://127.0.0.1:1/token"},
    "a user before the host": {"authorization_endpoint": "http://127.0.0.1@evil.example.org/"},
    "huge": {"padding": "x" * 40_000_000},
    "no texts": {"authorization_endpoint": ["a"], "token_endpoint": 5},
}


@pytest.mark.parametrize("told", CONFIGURATIONS)
def test_a_configuration_leads_nowhere_when_it_has(told: str, browser: Browser, ehr: FakeEhr) -> None:
    ehr.configuration = ehr.usual_configuration() | CONFIGURATIONS[told]
    answer = browser.launch()
    assert answer.status_code == 502
    assert ehr.asked == []


def test_a_token_in_an_error_of_the_ehr_stays_out_of_the_log(
    browser: Browser, ehr: FakeEhr, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug")
    state = browser.sent_to(browser.launch())["state"]
    ehr.token_status, ehr.tokens = 400, {"error": "invalid_grant", "error_description": "code secret-code is used"}
    browser.come_back(code="secret-code", state=state)
    written = capfd.readouterr().err
    assert clock.now.isoformat() in written
    assert "secret-code" not in written
    assert state not in written
    assert json.loads(written.splitlines()[-1])["refused"] == "smart-stale"
