"""nginx as shipped before a real `serve`: who may connect, what arrives, what is answered, and what is written."""

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from cds_service.settings import Settings
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import FEEDBACK, ORIGIN, SERVICE, overridden, valid_call
from tests.builders.gateway import Gateway, gateway
from tests.builders.hostile_text import HOSTILE, MARK
from tests.builders.ports import free_port
from tests.builders.raw_server import answer, closes, raw_server
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
DEPLOY = Path(__file__).parents[2] / "deploy"
BODY = json.dumps(valid_call()).encode()
OUTSIDE = [("allow 127.0.0.0/8;", "allow 127.0.0.9;")]
"""This machine is not one that may ask for the service's health."""


def test_a_call_is_waited_for_as_long_as_it_may_take() -> None:
    longest = Settings.model_json_schema()["properties"]["time_budget_ms"]["maximum"] / 1000
    for file in ("nginx/cytopenia-cds/pass.conf", "helm/cytopenia-cds/ci/production-values.yaml"):
        text = (DEPLOY / file).read_text(encoding="utf-8")
        (seconds,) = re.findall(r"proxy[-_]read[-_]timeout:? +\"?(\d+)", text)
        assert int(seconds) >= longest + 5, "the service says what went wrong, not nginx"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("service"), CDS_AUTH="off", CDS_ALLOWED_ORIGINS=ORIGIN) as served:
        yield served


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, service: Served) -> Iterator[Gateway]:
    """A replica that is there, and one that isn't."""
    replicas = (f"127.0.0.1:{free_port()}", service.url.removeprefix("http://"))
    known = ('# "https://ehr.example.org"', '"https://ehr.example.org"')
    with gateway(tmp_path_factory.mktemp("gateway"), *replicas, changes=[known]) as running:
        yield running


def _ask(gateway: Gateway, method: str, path: str, **options: object) -> requests.Response:
    return requests.request(method, gateway.url + path, verify=gateway.trusted, timeout=30, **options)  # type: ignore[arg-type]


def _call(gateway: Gateway, path: str = SERVICE, **headers: str) -> requests.Response:
    return _ask(gateway, "POST", path, data=BODY, headers={"Content-Type": "application/json", **headers})


def _raw(gateway: Gateway, request: bytes) -> bytes:
    """What is answered to exactly these bytes."""
    came = bytearray()
    with gateway.connect() as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            came += chunk
    return bytes(came)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(before: Gateway, version: ssl.TLSVersion) -> None:
    assert _handshake(before, version, "DEFAULT") == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1, "DEFAULT:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),  # no authenticated cipher
        (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256"),  # no forward secrecy
    ],
)
def test_tls_of_yesterday_is_not(before: Gateway, version: ssl.TLSVersion, ciphers: str) -> None:
    with pytest.raises(ssl.SSLError, match="alert"):
        _handshake(before, version, ciphers)


def _handshake(gateway: Gateway, version: ssl.TLSVersion, ciphers: str) -> str | None:
    context = ssl.create_default_context(cafile=gateway.trusted)
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    with gateway.connect(context=context) as connection:
        return connection.version()


def test_plain_http_is_told_so_and_goes_nowhere(before: Gateway, service: Served) -> None:
    heard = len(service.lines)
    refused = requests.get(before.url.replace("https", "http") + "/cds-services", timeout=20)
    assert refused.status_code == 400
    assert_operation_outcome(refused.json())
    assert len(service.lines) == heard


def test_a_call_is_answered_though_a_replica_is_gone(service: Served, tmp_path: Path) -> None:
    gone = f"127.0.0.1:{free_port()}"
    with gateway(tmp_path, gone, service.url.removeprefix("http://")) as running:
        for _ in range(8):
            answered = _call(running)
            assert answered.status_code == 200, answered.text
            assert_response_conforms(answered.json())
    assert any(line["replica"].startswith(f"{gone}, ") for line in running.lines), "it was tried first"


def test_headers_come_once_the_services_own_and_what_a_gateway_adds(before: Gateway) -> None:
    told = _call(before).headers
    assert told["Strict-Transport-Security"].startswith("max-age=")
    assert (told["Cache-Control"], told["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert "Retry-After" not in told
    assert told["Server"] == "nginx", "and not which one"
    assert _ask(before, "GET", "/about").headers["Cache-Control"] == "max-age=300"


def test_an_answer_can_be_found_in_the_log(before: Gateway) -> None:
    with requests.Session() as one:
        told = one.post(before.url + SERVICE, json=valid_call(), verify=before.trusted, timeout=30)
        one.get(before.url + "/about", verify=before.trusted, timeout=30)  # same connection: the line is there by then
    (line,) = [line for line in before.lines if line["request"] == told.headers["X-Request-Id"]]
    assert (line["endpoint"], line["status"], line["replicaStatus"].split(", ")[-1]) == ("call", "200", "200")


def test_a_browsers_preflight_and_call_pass(before: Gateway) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = _ask(before, "OPTIONS", SERVICE, headers=asked)
    assert preflight.ok
    for told in (preflight, _call(before, Origin=ORIGIN)):
        assert told.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in _call(before, Origin="https://evil.example").headers


def test_large_answers_travel_compressed(before: Gateway) -> None:
    plain, packed = (
        _ask(before, "GET", "/openapi.json", headers={"Accept-Encoding": how}) for how in ("identity", "gzip")
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()


@pytest.mark.parametrize("path", ["/x/../cds-services", "/cds-services//cytopenia-review", "/%63ds-services/"])
def test_paths_arrive_as_they_were_sent(tmp_path: Path, path: str) -> None:
    """`aud` is compared with the path called: a gateway that tidied paths up would call what the client didn't."""
    with raw_server(answer()) as service, gateway(tmp_path, f"127.0.0.1:{service.port}") as running:
        _raw(running, f"GET {path}?x=%2e HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert service.requests[0].startswith(f"GET {path}?x=%2e HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    "path", ["/readyz", "/livez", "/readyz/", "/readyz?x", "/%72eadyz", "/x/../readyz", "/./livez", "/metrics"]
)
def test_health_and_metrics_are_not_for_outside(tmp_path: Path, path: str) -> None:
    with raw_server(answer()) as service:
        with gateway(tmp_path, f"127.0.0.1:{service.port}", changes=OUTSIDE) as running:
            told = _raw(running, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert told.split()[1] == (b"404" if path == "/metrics" else b"403")
        assert service.connections == 0


def test_inside_may_ask_whether_it_is_ready(before: Gateway) -> None:
    assert _ask(before, "GET", "/readyz").json() == {"status": "ready"}
    assert _ask(before, "GET", "/metrics").status_code == 404


def test_with_no_replica_left_the_answer_says_to_call_again(tmp_path: Path) -> None:
    with gateway(tmp_path, *(f"127.0.0.1:{free_port()}" for _ in range(2))) as running:
        for _ in range(3):
            refused = _call(running)
            assert refused.status_code == 502
            assert refused.headers["Retry-After"] == "5"
            assert refused.headers["Cache-Control"] == "no-store"
            assert_operation_outcome(refused.json())


def test_feedback_that_a_replica_died_on_is_not_told_to_another(tmp_path: Path) -> None:
    """It may have been stored; and its token has been used. The client is told, and tells it again by itself."""
    report = {"feedback": [overridden()]}
    with (
        raw_server(closes) as dying,
        raw_server(answer()) as other,
        gateway(tmp_path, *(f"127.0.0.1:{server.port}" for server in (dying, other))) as running,
    ):
        sent = [_ask(running, "POST", FEEDBACK, json=report).status_code for _ in range(6)]
    assert set(sent) == {200, 502}
    assert len(dying.requests) + len(other.requests) == len(sent), "each was sent once"


def test_the_services_own_refusals_pass_as_they_are(before: Gateway) -> None:
    refused = _ask(before, "POST", SERVICE, json={"hook": "patient-view"})
    assert refused.status_code == 400
    assert "hookInstance" in refused.text
    assert _ask(before, "GET", "/elsewhere").status_code == 404


def test_no_text_that_a_client_sends_comes_into_a_log(tmp_path: Path, service: Served) -> None:
    """Whatever is asked, however it ends: answered, refused by the service, refused by nginx, given up."""
    replicas = (f"127.0.0.1:{free_port()}", service.url.removeprefix("http://"))
    changes = [("rate=100r/s", "rate=1r/m"), ("burst=200", f"burst={len(HOSTILE) + 12}"), *OUTSIDE]
    with gateway(tmp_path / "both", *replicas, changes=changes) as overrun:
        for text in HOSTILE.values():
            _call(overrun, f"{SERVICE}?patient={quote(text)[:4000]}", Authorization=f"Bearer {MARK}", Referer=MARK)
        for request in _HOSTILE_REQUESTS:
            _raw(overrun, request)
        answers = [_call(overrun, f"/{MARK}?{MARK}").status_code for _ in range(20)]
        assert answers[-1] == 429
    with gateway(tmp_path / "alone", replicas[0]) as running:
        assert _call(running, f"/{MARK}?{MARK}").status_code == 502
    assert MARK not in running.said()
    assert MARK not in overrun.said()
    assert {line["rate"] for line in overrun.lines} >= {"PASSED", "REJECTED"}


def _request(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((line, b"Host: localhost", b"Connection: close", *headers, b"", b""))


_M = MARK.encode()
_HOSTILE_REQUESTS = [
    _request(b"GET /" + _M * 3000 + b" HTTP/1.1"),
    _request(b"GET /%00" + _M + b" HTTP/1.1"),
    _request(b"GET /../../" + _M + b" HTTP/1.1"),
    _request(_M.upper() + b" / HTTP/1.1"),
    _request(b"GET " + _M + b" HTTP/1.1"),
    _request(b"GET /readyz?" + _M + b" HTTP/1.1"),
    _request(b"GET / HTTP/1.1", b"Authorization: " + _M * 3000),
    _request(b"GET / HTTP/1.1", b"Author ization: " + _M),
    _request(b"POST /" + _M + b" HTTP/1.1", b"Content-Length: 99999999999"),
    _request(b"POST /" + _M + b" HTTP/1.1", b"Transfer-Encoding: chunked") + _M,
    _request(b"TRACE /" + _M + b" HTTP/1.1"),
    _M + b"\r\n\r\n",
]
