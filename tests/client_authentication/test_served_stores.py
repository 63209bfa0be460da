"""The real `serve` and what it depends on: Redis, the database, the clients' key servers; each of them down, too."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.builders import chart
from tests.builders.client_tokens import (
    BY_FILE,
    ISSUER,
    SERVICE,
    bearer_now,
    ec_key,
    key_set,
    public_jwk,
    trusting,
)
from tests.builders.ports import free_port
from tests.builders.raw_server import answer, hangs, raw_server
from tests.builders.redis_server import redis_server
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
OTHER = "https://other.example.org"


@contextmanager
def _serving(folder: Path, *clients: str, **settings: str) -> Iterator[Served]:
    """Serve for clients given as lines of TOML; the first issuer's key file is there."""
    with serving(folder, **trusting(folder, *clients), **settings) as served:
        yield served


def _call(served: Served, authorization: str) -> requests.Response:
    body = chart.call(chart.prefetch([]), hookInstance=str(uuid.uuid4()))
    return requests.post(served.url + SERVICE, json=body, headers={"Authorization": authorization}, timeout=20)


def _assert_closed(served: Served) -> None:
    closed = _call(served, bearer_now())
    assert closed.status_code == 503
    assert closed.headers["Retry-After"] == "5"
    assert "cards" not in closed.json()
    assert _call(served, bearer_now(aud="x")).status_code == 401, "what can be told without it is told"


def test_with_redis_one_of_eight_succeeds_and_without_it_nobody_comes_in(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis, _serving(tmp_path, BY_FILE, CDS_REDIS_URL=redis.url) as served:
        authorization = bearer_now()
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: _call(served, authorization).status_code, range(8)))
        assert sorted(statuses) == [200] + [401] * 7
        assert requests.get(served.url + "/readyz", timeout=10).status_code == 200
        redis.stop()
        _assert_closed(served)
        assert requests.get(served.url + "/livez", timeout=10).status_code == 200
        with redis_server(tmp_path, redis.port):
            assert _call(served, bearer_now()).status_code == 200


def test_without_its_database_nobody_comes_in(tmp_path: Path) -> None:
    with _serving(tmp_path, BY_FILE) as served:
        assert _call(served, bearer_now()).status_code == 200
        for file in tmp_path.glob("records.sqlite3*"):
            file.unlink()
        _assert_closed(served)


def test_a_key_server_that_hangs_closes_the_door_for_its_own_client_only(tmp_path: Path) -> None:
    with raw_server(answer(body=key_set(public_jwk(ec_key())))) as works, raw_server(hangs) as hanging:
        clients = [
            f'issuer = "{issuer}"\njwks_url = "{server.base}"' for issuer, server in ((ISSUER, works), (OTHER, hanging))
        ]
        with _serving(tmp_path, *clients) as served, ThreadPoolExecutor(1) as pool:
            held = pool.submit(_call, served, bearer_now(iss=OTHER))
            assert [_call(served, bearer_now()).status_code for _ in range(5)] == [200] * 5
            assert held.result(20).status_code == 503
        assert {request.split(b"\r\n")[0] for request in works.requests} == {b"GET /fhir HTTP/1.1"}
        told = {(line["client"], line.get("reason")) for line in served.lines if "client-keys" in line["event"]}
        assert told == {(ISSUER, None), (OTHER, "timeout")}


def test_refusals_are_counted_by_reason(tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with _serving(tmp_path, BY_FILE, CDS_METRICS_BIND=metrics) as served:
        for authorization in ("Basic x", bearer_now(exp=1, iat=0), bearer_now(exp=1, iat=0)):
            assert _call(served, authorization).status_code == 401
        told = requests.get(f"http://{metrics}/metrics", timeout=10).text
    assert 'cds_calls_refused_total{reason="expired",refused="ClientRefused",tenant=""} 2.0' in told
    assert 'cds_calls_refused_total{reason="other-scheme",refused="ClientRefused",tenant=""} 1.0' in told
