"""The app is launched as an EHR launches it, and nothing of a launch that doesn't hold is shown."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_service.client_authentication.signing import make_key, private_jwk
from cds_service.web.request_log import configure_logging
from tests.smart_app.conftest import PUBLIC, Browser, Clock, MakeBrowser
from tests.smart_app.fake_ehr import CLIENT, FakeEhr, challenge_of


def test_an_ehr_launch_shows_the_patients_counts_and_the_card(browser: Browser) -> None:
    page = browser.read(browser.open_chart()).get_data(as_text=True)
    assert "Ravi Namuna" in page
    assert "3.3 10*3/uL" in page
    assert "WBC 3.3 (&lt;4.0)" in page
    assert "source document" in page, "the card's words, with where a threshold comes from"


def test_the_browser_is_sent_with_all_that_the_launch_needs(browser: Browser, ehr: FakeEhr) -> None:
    asked = browser.sent_to(browser.launch("opaque-handle"))
    verifier_goes_later = asked.pop("code_challenge")
    assert len(asked.pop("state")) >= 40
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{PUBLIC}/smart/callback",
        "scope": "launch patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/MedicationRequest.rs "
        "online_access",
        "aud": ehr.fhir,
        "launch": "opaque-handle",
        "code_challenge_method": "S256",
    }
    assert len(verifier_goes_later) == 43


def test_the_code_is_redeemed_with_the_verifier_of_its_own_launch(browser: Browser, ehr: FakeEhr) -> None:
    asked = browser.sent_to(browser.launch())
    assert browser.come_back(code="good", state=asked["state"]).status_code == 303
    form, _ = ehr.asked[-1]
    assert challenge_of(form["code_verifier"]) == asked["code_challenge"]
    assert (form["grant_type"], form["code"], form["redirect_uri"]) == (
        "authorization_code", "good", f"{PUBLIC}/smart/callback",
    )  # fmt: skip
    assert form["client_id"] == CLIENT, "a public client names itself"


def test_opened_by_itself_it_asks_for_a_patient(browser: Browser) -> None:
    asked = browser.sent_to(browser.launch(None))
    assert asked["scope"].startswith("launch/patient ")
    assert "launch" not in asked


def test_older_servers_are_asked_in_their_spelling_and_found_by_their_capabilities(
    browser: Browser, ehr: FakeEhr
) -> None:
    ehr.configuration, ehr.tells_oauth_uris = {}, True
    ehr.tokens["scope"] = "launch patient/*.read"
    asked = browser.sent_to(browser.launch())
    assert "patient/Observation.read" in asked["scope"].split()
    assert browser.come_back(code="good", state=asked["state"]).status_code == 303


TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "the user says no": ({"back": {"error": "access_denied"}}, "Access was refused"),
    "the EHR doesn't take the scopes": ({"back": {"error": "invalid_scope"}}, "does not allow reading"),
    "the EHR doesn't know the app any more": ({"back": {"error": "unauthorized_client"}}, "refused this app"),
    "the EHR says something of its own": (
        {"back": {"error": "<b>x</b>", "error_uri": "<b>"}},
        "refused this app",
    ),
    "no code comes back": ({"back": {}}, "no usable answer"),
    "the code is stale": ({"status": 400, "tokens": {"error": "invalid_grant"}}, "too long ago"),
    "the token endpoint fails": ({"status": 500}, "no usable answer"),
    "no access token": ({"tokens": {"access_token": ""}}, "no usable answer"),
    "another kind of token": ({"tokens": {"token_type": "mac"}}, "no usable answer"),
    "Observations aren't granted": ({"tokens": {"scope": "launch patient/Patient.rs"}}, "does not allow reading"),
    "searching isn't granted": ({"tokens": {"scope": "patient/Observation.r"}}, "does not allow reading"),
    "no scope is told": ({"tokens": {"scope": ""}}, "does not allow reading"),
    "no patient": ({"tokens": {"patient": ""}}, "No patient was chosen"),
    "a patient that is no id": ({"tokens": {"patient": "../Patient"}}, "No patient was chosen"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_it_is_said_plainly_when(trouble: str, browser: Browser, ehr: FakeEhr) -> None:
    told, words = TROUBLES[trouble]
    state = browser.sent_to(browser.launch())["state"]
    ehr.tokens, ehr.token_status = told.get("tokens", {}), told.get("status", 200)
    answer = browser.come_back(state=state, **told.get("back", {"code": "good"}))
    page = answer.get_data(as_text=True)
    assert answer.status_code in {403, 502}
    assert words in page
    assert "<b>" not in page


def test_an_ehr_that_is_not_registered_is_never_called(browser: Browser, ehr: FakeEhr) -> None:
    for iss in ("https://other.example.org/fhir", ehr.fhir + "/more", ehr.fhir.upper(), "", f"{ehr.fhir}?x"):
        answer = browser.launch(iss=iss or "x")
        assert answer.status_code == 403
        assert "not registered" in answer.get_data(as_text=True)


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint"])
def test_an_authorization_server_elsewhere_gets_nothing(browser: Browser, ehr: FakeEhr, endpoint: str) -> None:
    ehr.configuration = ehr.usual_configuration() | {endpoint: "https://evil.example.org/x"}
    answer = browser.launch()
    assert answer.status_code == 502
    assert "not on this app" in answer.get_data(as_text=True)


def test_an_authorization_server_of_the_registration_is_fine(make_browser: MakeBrowser, ehr: FakeEhr) -> None:
    browser = make_browser('authorization_servers = ["https://login.example.org/oauth"]\n')
    ehr.configuration = ehr.usual_configuration() | {"authorization_endpoint": "https://login.example.org/oauth/go"}
    assert browser.launch().location.startswith("https://login.example.org/oauth/go?")


def test_a_state_is_good_once_for_its_own_browser_and_not_for_long(make_browser: MakeBrowser, clock: Clock) -> None:
    mine, other = make_browser(), make_browser()
    stolen = mine.sent_to(mine.launch())["state"]
    other.launch()
    assert "another browser" in other.come_back(code="good", state=stolen).get_data(as_text=True)
    assert mine.come_back(code="good", state=stolen).status_code == 403, "it was used up by the try"
    once = mine.sent_to(mine.launch())["state"]
    assert mine.come_back(code="good", state=once).status_code == 303
    assert mine.come_back(code="good", state=once).status_code == 403
    late = mine.sent_to(mine.launch())["state"]
    clock.now += timedelta(minutes=11)
    assert mine.come_back(code="good", state=late).status_code == 403
    assert mine.come_back(code="good", state="made-up").status_code == 403


def test_two_patients_in_two_tabs_stay_apart(browser: Browser) -> None:
    ravi, amara = browser.open_chart("ravi-namuna"), browser.open_chart("amara-okafor")
    assert ravi != amara
    first, second = (browser.read(path).get_data(as_text=True) for path in (ravi, amara))
    assert "Ravi Namuna" in first
    assert "Amara" not in first
    assert "Amara" in second
    assert "Ravi" not in second


def test_a_chart_opens_in_the_browser_it_was_launched_in_only(make_browser: MakeBrowser) -> None:
    mine, other = make_browser(), make_browser()
    path = mine.open_chart()
    other.launch()
    assert other.read(path).status_code == 403
    assert mine.read(path + "x").status_code == 403
    assert mine.read(path + "/results.csv").status_code == 200
    assert other.read(path + "/results.csv").status_code == 403


def test_an_expired_access_is_renewed_without_asking_the_user(browser: Browser, ehr: FakeEhr, clock: Clock) -> None:
    path = browser.open_chart()
    clock.now += timedelta(minutes=30)
    ehr.tokens = {"access_token": "newer", "patient": "ravi-namuna"}
    assert browser.read(path).status_code == 200
    assert ehr.asked[-1][0] == {
        "grant_type": "refresh_token", "refresh_token": "synthetic-refresh-token", "client_id": CLIENT,
    }  # fmt: skip


def test_without_a_refresh_token_the_session_ends(browser: Browser, ehr: FakeEhr, clock: Clock) -> None:
    ehr.tokens["refresh_token"] = ""
    path = browser.open_chart()
    clock.now += timedelta(minutes=30)
    answer = browser.read(path)
    assert answer.status_code == 403
    assert "session has ended" in answer.get_data(as_text=True)


def test_a_refresh_token_that_is_taken_no_more_ends_the_session(browser: Browser, ehr: FakeEhr, clock: Clock) -> None:
    path = browser.open_chart()
    clock.now += timedelta(minutes=30)
    ehr.token_status, ehr.tokens = 403, {"error": "invalid_grant"}
    answer = browser.read(path)
    assert answer.status_code == 403
    assert "session has ended" in answer.get_data(as_text=True)


def test_a_renewal_never_changes_the_patient(browser: Browser, ehr: FakeEhr, clock: Clock) -> None:
    path = browser.open_chart("ravi-namuna")
    clock.now += timedelta(minutes=30)
    ehr.tokens["patient"] = "amara-okafor"
    assert browser.read(path).status_code == 403


def test_a_visit_ends_after_a_working_day(browser: Browser, clock: Clock) -> None:
    path = browser.open_chart()
    clock.now += timedelta(hours=9)
    assert browser.read(path).status_code == 403


def test_data_that_cannot_be_had_are_no_empty_chart(browser: Browser, ehr: FakeEhr) -> None:
    path = browser.open_chart()
    ehr.refuses_data = True
    answer = browser.read(path)
    assert answer.status_code == 502
    assert "did not give the blood counts" in answer.get_data(as_text=True)


def test_a_client_with_a_secret_proves_itself_by_it(make_browser: MakeBrowser, ehr: FakeEhr, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("synthetic-secret\n", encoding="utf-8")
    make_browser('client_secret_file = "secret"\n').open_chart()
    form, headers = ehr.asked[-1]
    assert headers["Authorization"] == "Basic c3ludGhldGljLWFwcDpzeW50aGV0aWMtc2VjcmV0"
    assert "synthetic-secret" not in str(form)


def test_a_client_with_a_key_signs_for_the_token_endpoint(
    make_browser: MakeBrowser, ehr: FakeEhr, tmp_path: Path
) -> None:
    key = make_key("ES384")
    (tmp_path / "key.json").write_text(private_jwk(key), encoding="utf-8")
    make_browser('private_key_file = "key.json"\n').open_chart()
    form, headers = ehr.asked[-1]
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    token = jwt.decode(form["client_assertion"], key, algorithms=["ES384"])
    claims = token.claims
    assert token.header["kid"] == key.kid
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, f"{ehr.url}/token")
    assert claims["jti"]
    assert claims["exp"] - claims["iat"] <= 3600
    assert "Authorization" not in headers


IDENTITIES: dict[str, tuple[dict[str, Any], int]] = {
    "right": ({}, 303),
    "of another issuer": ({"iss": "https://evil.example.org"}, 502),
    "for another app": ({"aud": "other"}, 502),
    "of another launch": ({"nonce": "other"}, 502),
    "expired": ({"exp": 1}, 502),
}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_id_token_is(identity: str, make_browser: MakeBrowser, ehr: FakeEhr, clock: Clock) -> None:
    ehr.claims, status = IDENTITIES[identity]
    browser = make_browser("identity = true\n")
    asked = browser.sent_to(browser.launch())
    assert "openid fhirUser" in asked["scope"]
    ehr.tokens["id_token"] = ehr.id_token(asked["nonce"], clock.now)
    assert browser.come_back(code="good", state=asked["state"]).status_code == status


def test_an_id_token_signed_by_another_key_or_missing_is_refused(
    make_browser: MakeBrowser, ehr: FakeEhr, clock: Clock
) -> None:
    browser = make_browser("identity = true\n")
    asked = browser.sent_to(browser.launch())
    forger = FakeEhr(ehr.url, ECKey.generate_key("P-256", {"kid": str(ehr.key.kid), "alg": "ES256"}))
    ehr.tokens["id_token"] = forger.id_token(asked["nonce"], clock.now)
    assert browser.come_back(code="good", state=asked["state"]).status_code == 502
    ehr.tokens = {}
    assert browser.come_back(code="good", state=browser.sent_to(browser.launch())["state"]).status_code == 502


def test_nothing_of_the_chart_is_in_the_cookie_the_log_or_the_database(
    browser: Browser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug")
    answer = browser.launch()
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie
    path = browser.open_chart()
    browser.read(path)
    written = capfd.readouterr().err
    kept = (tmp_path / "records.sqlite3").read_bytes() + (tmp_path / "records.sqlite3-wal").read_bytes()
    secrets = ["synthetic-access-token", "synthetic-refresh-token", "ravi-namuna", path.rpartition("/")[2]]
    for secret in secrets:
        assert secret not in cookie
        assert secret not in written
        assert secret.encode() not in kept
    assert all(json.loads(line) for line in written.splitlines())


def test_the_page_may_be_framed_by_the_ehr_only(make_browser: MakeBrowser) -> None:
    browser = make_browser('embedded_by = ["https://ehr.example.org"]\n')
    answer = browser.launch()
    assert re.search(r"SameSite=None.*Partitioned|Partitioned.*SameSite=None", answer.headers["Set-Cookie"])
    page = browser.read(browser.open_chart())
    assert "frame-ancestors https://ehr.example.org" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_page_of_its_own_is_framed_by_nobody(browser: Browser) -> None:
    policy = browser.read(browser.open_chart()).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
