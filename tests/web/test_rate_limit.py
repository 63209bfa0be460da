"""How often a client may call: one too many is told when to come back; a store that is down lets everyone in."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from limits.storage import Storage

from cds_service.cds_hooks.clients import CdsClient
from cds_service.outbound.redis_client import open_redis
from cds_service.settings import Settings, SettingsInvalid, load_settings
from cds_service.web.errors import TooManyCalls
from cds_service.web.rate_limit import RateLimit, counted_in
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, valid_call
from tests.web.conftest import MakeClient

NORTH, SOUTH = CdsClient("https://north.example.org", "north"), CdsClient("https://south.example.org", "south")
LIMIT = "2/day"
"""So that no test depends on how fast it runs."""


def _calls(client: FlaskClient, **environment: str) -> list[int]:
    return [client.post(SERVICE, json=valid_call(), environ_overrides=environment).status_code for _ in range(3)]


def test_one_call_too_many_is_429_with_the_time_to_come_back(make_client: MakeClient, service: Any, lines: Any) -> None:
    client = make_client(admit=RateLimit(LIMIT).admit)
    assert _calls(client)[:2] == [200, 200]
    answer = client.post(SERVICE, json=valid_call())
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 24 * 3600
    assert_operation_outcome(answer.get_json())
    assert answer.get_json()["issue"][0]["code"] == "throttled"
    assert len(service.calls) == 2, "it was not judged"
    assert [line.get("refused") for line in lines()] == [None, None, "TooManyCalls", "TooManyCalls"]


def test_the_three_endpoints_count_together_and_no_other_does(make_client: MakeClient) -> None:
    client = make_client(admit=RateLimit(LIMIT).admit)
    assert client.get("/cds-services").status_code == 200
    assert client.post(FEEDBACK, json={"feedback": [accepted()]}).status_code == 200
    assert client.post(SERVICE, json=valid_call()).status_code == 429
    for url in ("/livez", "/readyz", "/openapi.json"):
        assert client.get(url).status_code == 200
    assert client.options(SERVICE).status_code == 200, "a preflight is no call"


def test_each_client_has_its_own_count(make_client: MakeClient) -> None:
    callers = iter([NORTH, NORTH, NORTH, SOUTH, CdsClient(NORTH.issuer, "elsewhere")])
    client = make_client(authenticate=lambda *_: next(callers), admit=RateLimit(LIMIT).admit)
    assert _calls(client) == [200, 200, 429]
    assert [client.get("/cds-services").status_code for _ in range(2)] == [200, 200]


def test_without_authentication_an_address_has_its_own_count(make_client: MakeClient) -> None:
    client = make_client(admit=RateLimit(LIMIT).admit)
    assert _calls(client, REMOTE_ADDR="192.0.2.1") == [200, 200, 429]
    assert _calls(client, REMOTE_ADDR="192.0.2.2") == [200, 200, 429]
    headers = {"X-Forwarded-For": "192.0.2.3"}
    assert client.post(SERVICE, json=valid_call(), headers=headers, environ_overrides={"REMOTE_ADDR": "192.0.2.1"})\
        .status_code == 429, "what a caller says of its address counts for nothing"  # fmt: skip


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis on a socket of its own."""
    path = tmp_path / "redis"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"LC_ALL": "C"})
    assert process.stdout is not None
    try:
        assert any("ready to accept" in line.lower() for line in process.stdout)
        yield f"unix://{path}"
    finally:
        process.terminate()
        process.wait(20)


def _in_redis(url: str) -> RateLimit:
    return RateLimit(LIMIT, lambda: counted_in(open_redis(url)))


def test_workers_share_the_count_in_redis(redis_url: str) -> None:
    first, second = _in_redis(redis_url), _in_redis(redis_url)
    assert (first.admit("a"), second.admit("a"), second.admit("b")) == (True, True, True)
    for worker in (first, second):
        with pytest.raises(TooManyCalls) as refused:
            worker.admit("a")
        assert 1 <= refused.value.retry_after <= 24 * 3600


@pytest.mark.parametrize("down", ["refused", "silent"])
def test_redis_down_lets_calls_in_and_says_so(make_client: MakeClient, lines: Any, down: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if down == "silent":
            listener.listen(8)  # takes connections and never answers
        limit = _in_redis(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        client = make_client(admit=limit.admit)
        assert _calls(client) == [200, 200, 200]
    assert [line["rateLimit"] for line in lines()] == ["unknown"] * 3


def test_the_store_is_opened_by_the_worker_that_counts() -> None:
    opened: list[str] = []

    def open_storage() -> Storage:
        opened.append("once")
        return counted_in(open_redis("redis://127.0.0.1:9/0"))

    limit = RateLimit(LIMIT, open_storage)
    assert opened == []
    limit.admit("a")
    limit.admit("a")
    assert opened == ["once"]


@pytest.mark.parametrize("limit", ["600/minute", "1/second", "20/hour", "5000/day"])
def test_limits_that_are_understood(limit: str) -> None:
    assert RateLimit(Settings(rate_limit=limit).rate_limit or "").admit("a")


@pytest.mark.parametrize(
    "limit", ["600", "0/minute", "600/fortnight", "-1/minute", "600 per minute", "1/minute;2/hour"]
)
def test_a_limit_that_is_not_understood_stops_the_start(limit: str) -> None:
    with pytest.raises(SettingsInvalid, match="CDS_RATE_LIMIT"):
        load_settings(rate_limit=limit)


def test_a_redis_url_that_is_not_understood_is_named_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="CDS_REDIS_URL") as refused:
        open_redis("http://:secret-word@host")
    assert "secret-word" not in str(refused.value)
