"""Keys follow the client's: fetched once for all, kept when a fetch fails; no call that has its key waits for them."""

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cds_service.client_authentication import key_sources
from cds_service.client_authentication.key_sources import (
    MAX_AGE_SECONDS,
    PAUSE_AFTER_FAILURE_SECONDS,
    PAUSE_SECONDS,
    REFRESH_AFTER_SECONDS,
    FetchedKeys,
    FileKeys,
    download_key_set,
)
from cds_service.client_authentication.refusals import KeysUnavailable
from cds_service.client_authentication.signing_keys import KeySetUnreadable
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.urls import HttpUrl
from tests.builders.client_tokens import ISSUER, ec_key, key_set, public_jwk
from tests.builders.raw_server import Behaviour, answer, closes, hangs, raw_server, repeats, sends

OLD, NEW, OTHER = (public_jwk(ec_key(name)) for name in ("old", "new", "other"))
NOBODY = "nobody's"


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """The log lines written."""

    lines: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)

    def __call__(self, level: str, event: str, members: Mapping[str, object]) -> None:
        self.lines.append((level, event, members))


@dataclass
class Server:
    """Serves a document, fails, or waits at a gate; counts what is fetched."""

    document: bytes = key_set(OLD)
    failure: Exception | None = None
    fetched: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self) -> bytes:
        self.fetched += 1
        self.asked.set()
        assert self.gate.wait(20)
        if self.failure:
            raise self.failure
        return self.document


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def keys(server: Server, clock: Clock, told: Told) -> FetchedKeys:
    return FetchedKeys(server, ISSUER, told, clock)


def _until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does; the test's own limit is the harness's."""
    for _ in range(2000):
        if holds():
            return
        threading.Event().wait(0.005)
    pytest.fail("it never came about")


def test_keys_are_fetched_once_and_kept(keys: FetchedKeys, server: Server, clock: Clock) -> None:
    assert server.fetched == 0, "nothing is fetched before a call needs it"
    for _ in range(5):
        assert keys.find(OLD["kid"])
        clock.now += REFRESH_AFTER_SECONDS / 6
    assert server.fetched == 1


def test_a_new_key_is_looked_for_at_once_and_an_old_one_that_is_gone_is_trusted_no_more(
    keys: FetchedKeys, server: Server, clock: Clock
) -> None:
    assert keys.find(OLD["kid"])
    server.document = key_set(NEW)
    clock.now += PAUSE_SECONDS
    assert keys.find(NEW["kid"])
    assert keys.find(OLD["kid"]) is None
    assert server.fetched == 2


def test_unknown_kids_fetch_no_more_than_the_rate_allows(keys: FetchedKeys, server: Server, clock: Clock) -> None:
    for number in range(50):
        assert keys.find(f"{NOBODY}-{number}") is None
    assert server.fetched == 1
    clock.now += PAUSE_SECONDS - 0.1
    assert keys.find(NOBODY) is None
    assert server.fetched == 1
    clock.now += 0.1
    assert keys.find(NOBODY) is None
    assert server.fetched == 2


def test_a_stampede_of_unknown_kids_makes_one_fetch_and_all_get_its_keys(
    keys: FetchedKeys, server: Server, clock: Clock
) -> None:
    keys.find(OLD["kid"])
    clock.now += PAUSE_SECONDS
    server.document = key_set(OLD, NEW)
    server.gate.clear()
    arrived = threading.Barrier(17)

    def find() -> object:
        arrived.wait(20)
        return keys.find(NEW["kid"])

    with ThreadPoolExecutor(16) as pool:
        finding = [pool.submit(find) for _ in range(16)]
        arrived.wait(20)
        server.gate.set()
        assert all(found.result(20) for found in finding)
    assert server.fetched == 2


def test_a_hanging_server_holds_no_call_that_has_its_key(keys: FetchedKeys, server: Server, clock: Clock) -> None:
    keys.find(OLD["kid"])
    clock.now += REFRESH_AFTER_SECONDS
    server.gate.clear()
    server.asked.clear()
    assert keys.find(OLD["kid"]), "answered while the fetch hangs"
    assert server.asked.wait(20)
    with ThreadPoolExecutor(1) as pool:
        stranger = pool.submit(keys.find, NOBODY)
        assert keys.find(OLD["kid"]), "answered while somebody waits for the fetch"
        assert not stranger.done()
        server.gate.set()
        assert stranger.result(20) is None
    assert server.fetched == 2


def test_old_keys_are_used_while_newer_ones_are_fetched(keys: FetchedKeys, server: Server, clock: Clock) -> None:
    keys.find(OLD["kid"])
    server.document = key_set(NEW)
    clock.now += REFRESH_AFTER_SECONDS
    assert keys.find(OLD["kid"])
    _until(lambda: keys.find(OLD["kid"]) is None)
    assert server.fetched == 2


def test_keys_of_the_greatest_age_are_asked_for_before_they_are_used(
    keys: FetchedKeys, server: Server, clock: Clock
) -> None:
    keys.find(OLD["kid"])
    server.document = key_set(NEW)
    clock.now += MAX_AGE_SECONDS
    assert keys.find(OLD["kid"]) is None, "a key that was withdrawn overnight opens nothing in the morning"


@pytest.mark.parametrize("failure", [OSError("timeout"), ValueError("status-500")])
def test_when_a_fetch_fails_the_last_good_keys_stay_and_it_is_told(
    keys: FetchedKeys, server: Server, clock: Clock, told: Told, failure: Exception
) -> None:
    keys.find(OLD["kid"])
    server.failure = failure
    clock.now += MAX_AGE_SECONDS
    for _ in range(5):
        assert keys.find(OLD["kid"])
        clock.now += 1
    assert server.fetched == 2, "a server that fails is not asked again at once"
    assert told.lines[-1] == (
        "warning", "client-keys-not-fetched", {"client": ISSUER, "reason": str(failure)},
    )  # fmt: skip
    server.failure, server.document = None, key_set(NEW)
    clock.now += PAUSE_AFTER_FAILURE_SECONDS
    assert keys.find(NEW["kid"]), "once the server works, its keys hold"


def test_a_server_that_goes_on_failing_holds_no_call_with_a_last_good_key(
    keys: FetchedKeys, server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sources, "FETCH_SECONDS", 60.0)  # a wait for the fetch would outlast the test
    keys.find(OLD["kid"])
    server.failure = OSError("timeout")
    clock.now += MAX_AGE_SECONDS
    assert keys.find(OLD["kid"])
    server.gate.clear()
    clock.now += PAUSE_AFTER_FAILURE_SECONDS
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(keys.find, OLD["kid"]).result(15), "answered while the next fetch hangs"
        server.gate.set()


@pytest.mark.parametrize("document", [b"", b"<html>down</html>", b'{"keys": 1}'])
def test_a_document_that_is_no_key_set_is_a_failed_fetch(
    keys: FetchedKeys, server: Server, clock: Clock, document: bytes
) -> None:
    keys.find(OLD["kid"])
    server.document = document
    clock.now += PAUSE_SECONDS
    assert keys.find(NOBODY) is None
    assert keys.find(OLD["kid"])
    assert server.fetched == 2


def test_without_any_keys_so_far_nothing_can_be_said(keys: FetchedKeys, server: Server, clock: Clock) -> None:
    server.failure = OSError("not-reached")
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            keys.find(OLD["kid"])
    assert server.fetched == 1
    server.failure = None
    clock.now += PAUSE_AFTER_FAILURE_SECONDS
    assert keys.find(OLD["kid"])


def test_a_fetch_that_never_ends_is_not_waited_for_for_ever(
    keys: FetchedKeys, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sources, "FETCH_SECONDS", -1.0)
    server.gate.clear()
    with pytest.raises(KeysUnavailable):
        keys.find(OLD["kid"])
    server.gate.set()


def test_keys_work_once_they_were_fetched_and_as_long_as_no_fetch_fails(
    keys: FetchedKeys, server: Server, clock: Clock
) -> None:
    server.failure = OSError("timeout")
    assert not keys.works()
    assert not keys.works()
    assert server.fetched == 1, "who asks often fetches no oftener"
    server.failure, clock.now = None, clock.now + PAUSE_AFTER_FAILURE_SECONDS
    assert keys.works(), "so a server that becomes ready has its keys before the first call"
    server.failure, clock.now = OSError("timeout"), clock.now + MAX_AGE_SECONDS
    assert keys.find(OLD["kid"])
    assert not keys.works(), "the old ones are still used, and somebody should look"


def test_a_change_of_keys_is_told_and_the_same_keys_again_are_not(
    keys: FetchedKeys, clock: Clock, server: Server, told: Told
) -> None:
    keys.find(OLD["kid"])
    for document in (server.document, key_set(OLD, NEW, "broken")):
        clock.now += PAUSE_SECONDS
        server.document = document
        keys.find(NOBODY)
    assert [(event, members.get("keys"), members.get("leftOut")) for _, event, members in told.lines] == [
        ("client-keys-fetched", 1, 0),
        ("client-keys-fetched", 2, 1),
    ]


def _download(*behaviours: Behaviour, path: str = "/fhir/keys?p=1") -> tuple[bytes, list[bytes]]:
    with raw_server(*behaviours) as server:
        url = HttpUrl.parse(f"http://127.0.0.1:{server.port}{path}")
        return download_key_set(HttpClient(OutboundSettings(max_body_bytes=1000)), url), server.requests


@pytest.mark.parametrize("content_type", ["application/json", "application/jwk-set+json", "text/plain"])
def test_a_key_set_is_downloaded_as_whatever_it_is_declared(content_type: str) -> None:
    document = key_set(OLD)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(document)}\r\n\r\n"
    downloaded, (request,) = _download(sends(head.encode() + document))
    assert downloaded == document
    assert request.startswith(b"GET /fhir/keys?p=1 HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answer("404 Not Found"), "status-404"),
        (answer("302 Found", headers=["Location: http://127.0.0.1:1/keys"]), "status-302"),
        (answer(body=b" " * 1001), "too-large"),
        (answer(headers=["Content-Encoding: gzip"]), "encoded"),
        (closes, "connection-lost"),
        (sends(b"garbage\r\n\r\n"), "connection-lost"),
    ],
)
def test_what_is_no_good_answer_is_a_reason(behaviour: Behaviour, reason: str) -> None:
    with pytest.raises((OSError, ValueError), match=f"^{reason}$"):
        _download(behaviour)


@pytest.mark.parametrize("behaviour", [hangs, repeats(b"HTTP/1.1 200 OK\r\nX: y\r\n", pause=0.02)])
def test_a_slow_server_is_given_up(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sources, "FETCH_SECONDS", 0.3)
    with pytest.raises(OSError, match=r"^(timeout|connection-lost|malformed)$"):
        _download(behaviour)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ehr.jwks.json"
    path.write_bytes(key_set(OLD))
    return path


def test_a_file_is_read_again_when_it_changes(file: Path, told: Told) -> None:
    keys = FileKeys(file, ISSUER, told)
    assert keys.count == 1
    assert keys.find(OLD["kid"])
    file.write_bytes(key_set(NEW, OTHER))
    assert keys.find(NEW["kid"])
    assert keys.find(OLD["kid"]) is None
    os.utime(file, (1, 1))
    assert keys.find(NEW["kid"])
    file.write_bytes(key_set(OTHER, NEW))
    os.utime(file, (2, 2))
    replacement = file.with_name("new.json")
    replacement.write_bytes(key_set(OLD, OTHER))
    os.utime(replacement, (2, 2))
    assert keys.find(OTHER["kid"])
    replacement.replace(file)
    assert keys.find(OLD["kid"]), "a file of the same size and time put in its place, as deployments do, is another one"


def test_a_change_that_leaves_the_files_size_is_seen(file: Path, told: Told) -> None:
    os.utime(file, (1, 1))
    keys = FileKeys(file, ISSUER, told)
    assert len(key_set(NEW)) == len(key_set(OLD))
    file.write_bytes(key_set(NEW))
    assert keys.find(NEW["kid"])
    assert told.lines == [
        ("info", "client-keys-read", {"client": ISSUER, "file": "ehr.jwks.json", "keys": 1, "leftOut": 0})
    ]


def test_a_file_works_as_long_as_it_can_be_read(file: Path, told: Told) -> None:
    keys = FileKeys(file, ISSUER, told)
    assert keys.works()
    file.write_bytes(b"{")
    assert not keys.works()
    file.write_bytes(key_set(OLD, NEW))
    assert keys.works()


@pytest.mark.parametrize("content", [b"", b"{", b'{"keys": {}}', None])
def test_a_broken_or_vanished_file_leaves_the_last_good_keys(file: Path, told: Told, content: bytes | None) -> None:
    keys = FileKeys(file, ISSUER, told)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert keys.find(OLD["kid"])
    assert keys.find(OLD["kid"])
    assert told.lines == [("warning", "client-keys-not-read", {"client": ISSUER, "file": "ehr.jwks.json"})]
    file.write_bytes(key_set(NEW))
    assert keys.find(NEW["kid"])


@pytest.mark.parametrize("content", [b"{", None])
def test_a_file_that_can_not_be_used_to_begin_with_is_an_error(file: Path, told: Told, content: bytes | None) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises((OSError, KeySetUnreadable)):
        FileKeys(file, ISSUER, told)
