"""What a card's link tells the app reaches it through the launch: card, handle, token response."""

from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cds_service.sandbox.authorization_server import CLIENT_ID, AuthorizationServer
from cds_service.sandbox.ehr import Exchange
from cds_service.sandbox.launch_context import STANDALONE, LaunchContext
from cds_service.sandbox.visits import Visit

FHIR = "http://127.0.0.1:1/sandbox/fhir"
LINK = {"label": "Counts", "url": "http://127.0.0.1:1/smart/launch", "type": "smart", "appContext": "synthetic"}


def opened(*links: dict[str, str]) -> Visit:
    request = {"fhirServer": FHIR, "hookInstance": "1"}
    return Visit("ida", Exchange(request, 200, {"cards": [{"uuid": "1", "links": list(links)}]}, 1.0))


def test_the_cards_context_is_in_the_token_response() -> None:
    asked = parse_qs(urlsplit(opened(LINK).launch_url()).query)
    server = AuthorizationServer("http://127.0.0.1:1/sandbox/auth", FHIR, "http://127.0.0.1:1", dict)
    challenge = create_s256_code_challenge("v" * 43)  # type: ignore[no-untyped-call]
    back = server.authorize(
        {
            "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": "http://127.0.0.1:1/smart/callback",
            "aud": asked["iss"][0], "launch": asked["launch"][0], "code_challenge": challenge,
            "code_challenge_method": "S256", "scope": "launch patient/*.rs", "state": "s",
        }
    )  # fmt: skip
    code = parse_qs(urlsplit(str(back)).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": "v" * 43}
    status, told = server.token(form | {"redirect_uri": "http://127.0.0.1:1/smart/callback"})
    assert (status, told["appContext"], told["patient"]) == (200, "synthetic", "ida")


def test_a_launch_without_a_card_and_one_without_a_patient() -> None:
    asked = parse_qs(urlsplit(opened().launch_url("refuse", 30)).query)
    assert LaunchContext.read(asked["launch"][0]) == LaunchContext("ida", "refuse", 30)
    assert "launch" not in parse_qs(urlsplit(opened(LINK).launch_url(STANDALONE)).query)


@pytest.mark.parametrize("handle", ["", "x", "bnVsbA", "W10"])
def test_another_handle_is_no_context(handle: str) -> None:
    assert LaunchContext.read(handle) is None
