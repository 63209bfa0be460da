"""Where a token goes, and what never happens to a call."""

import logging
import socket
from pathlib import Path

import pytest

from cds_service.cds_hooks.request import AccessToken
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed, CallForbidden
from cds_service.outbound.scope import Scope, open_scope
from tests.builders.raw_server import answer, raw_server

TOKEN = AccessToken("token-of-this-call")
ANY = AllowedServers.parse(["http://127.0.0.1:*/fhir"])


def scope(base: str, token: AccessToken | None = TOKEN, client: HttpClient | None = None) -> Scope:
    return open_scope(client or HttpClient(), ANY, base, token, Deadline.after(2))


def test_the_token_is_sent_as_bearer_and_only_when_there_is_one() -> None:
    with raw_server(answer()) as server:
        scope(server.base).get(server.base + "/Patient/1", "application/fhir+json")
        scope(server.base, token=None).get(server.base + "/Patient/1", "application/fhir+json")
        with_token, without = server.requests
    assert with_token.startswith(b"GET /fhir/Patient/1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer token-of-this-call\r\n" in with_token
    assert b"\r\nAccept: application/fhir+json\r\n" in with_token
    assert b"\r\nAccept-Encoding: identity\r\n" in with_token
    assert b"authorization" not in without.lower()


def test_a_search_too_long_for_a_url_is_posted() -> None:
    with raw_server(answer()) as server:
        scope(server.base).post_form(server.base + "/Observation/_search", "code=a%7Cb", "application/fhir+json")
    assert server.requests[0].startswith(b"POST /fhir/Observation/_search HTTP/1.1\r\n")
    assert server.requests[0].endswith(b"\r\n\r\ncode=a%7Cb")
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in server.requests[0]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with raw_server(answer()) as other, raw_server(answer(status, headers=[f"Location: {other.base}/x"])) as server:
        assert scope(server.base).get(server.base + "/Patient/1", "x/y").status == int(status[:3])
        assert other.connections == 0
        assert len(server.requests) == 1


def test_nothing_outside_the_base_is_called_though_it_be_listed_too() -> None:
    with raw_server(answer()) as other, raw_server(answer()) as server:
        root = server.base.removesuffix("/fhir")
        outside = [
            other.base + "/Patient/1",
            root,
            f"{root}/fhirx/Patient",
            f"{root}/fhir/../admin",
            f"{root}/fhir/%2e%2e/admin",
            server.base.replace("http:", "https:"),
            server.base.replace("127.0.0.1", "localhost"),
            server.base.replace("http://", "http://user@"),
            "file:///etc/hostname",
            "",
        ]
        for url in outside:
            with pytest.raises(CallForbidden) as refused:
                scope(server.base).get(url, "x/y")
            assert refused.value.reason == "outside-base", url
        assert other.connections == server.connections == 0


@pytest.mark.parametrize("secret", ["", "two words", "line\r\nX-Injected: 1", "caf\u00e9"])
def test_a_token_that_can_not_be_a_header_opens_nothing(secret: str) -> None:
    with pytest.raises(CallForbidden) as refused:
        scope("http://127.0.0.1:1/fhir", AccessToken(secret))
    assert refused.value.reason == "token-unusable"


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    with raw_server(answer()) as proxy, raw_server(answer(headers=["Set-Cookie: a=b"])) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        client = HttpClient()
        for _ in range(2):
            scope(server.base, token=None, client=client).get(server.base, "x/y")
        assert proxy.connections == 0
        assert len(server.requests) == 2
        assert not any(
            b"authorization" in request.lower() or b"cookie" in request.lower() for request in server.requests
        )


def test_a_listed_name_that_points_at_the_metadata_service_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    allowed = AllowedServers.parse(["http://ehr.example.org/fhir"])
    opened = open_scope(HttpClient(), allowed, "http://ehr.example.org/fhir", TOKEN, Deadline.after(1))
    with pytest.raises(CallForbidden) as refused:
        opened.get("http://ehr.example.org/fhir/Patient/1", "x/y")
    assert refused.value.reason == "address-forbidden"


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"])
def test_no_forbidden_address_is_called_through_a_proxy(host: str) -> None:
    with raw_server(answer()) as proxy:
        client = HttpClient(OutboundSettings(https_proxy=f"http://127.0.0.1:{proxy.port}"))
        base = f"https://{host}/fhir"
        with pytest.raises(CallForbidden) as refused:
            open_scope(client, AllowedServers.parse([base]), base, TOKEN, Deadline.after(2))
        assert refused.value.reason == "address-forbidden"
        assert proxy.connections == 0


def test_all_answers_of_a_call_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.outbound.scope.MAX_CALL_BYTES", 2500)
    with raw_server(answer(body=b"x" * 1000)) as server:
        opened = scope(server.base)
        for _ in range(3):
            opened.get(server.base, "x/y")
        with pytest.raises(CallFailed) as failed:
            opened.get(server.base, "x/y")
        assert failed.value.reason == "too-large"
        assert len(server.requests) == 3
        assert scope(server.base).get(server.base, "x/y").status == 200


def test_nothing_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), raw_server(answer()) as server:
        scope(server.base).get(server.base + "/Patient/secret-id", "x/y")
    assert "secret-id" not in caplog.text
    assert "token-of-this-call" not in caplog.text + repr(TOKEN) + repr(scope(server.base))
