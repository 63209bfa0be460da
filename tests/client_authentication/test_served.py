"""The real `serve` with real keys over HTTP: who comes in, who doesn't, and what is told of it."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.builders import chart
from tests.builders.client_tokens import (
    BY_FILE,
    DISCOVERY,
    FEEDBACK,
    ISSUER,
    SERVICE,
    bearer,
    bearer_now,
    claims,
    ec_key,
    header,
    key_set,
    public_jwk,
    rsa_key,
    trusting,
)
from tests.builders.conversation import overridden
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
WORKERS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trusted")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder, "--workers", str(WORKERS), **trusting(folder, f'{BY_FILE}\ntenant = "north"')) as service:
        yield service


def _token(path: str, **members: Any) -> dict[str, str]:
    return {"Authorization": bearer_now(path, **members)}


def _call(served: Served, headers: dict[str, str]) -> requests.Response:
    body = chart.call(chart.prefetch([]), hookInstance=str(uuid.uuid4()))
    return requests.post(served.url + SERVICE, json=body, headers=headers, timeout=20)


@pytest.mark.parametrize("path", [DISCOVERY, SERVICE, FEEDBACK])
def test_without_a_token_each_endpoint_asks_for_one_and_says_no_more(served: Served, path: str) -> None:
    method = "GET" if path == DISCOVERY else "POST"
    answers = [
        requests.request(method, served.url + path, headers=headers, data=b"{", timeout=10)
        for headers in ({}, {"Authorization": "Basic dXNlcjpw"}, _token("/elsewhere"), {"Authorization": "Bearer x"})
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.content for answer in answers}) == 1, "the same words whatever was wrong"
    assert answers[0].json()["issue"][0]["code"] == "login"


def test_a_right_token_opens_discovery_call_and_feedback(served: Served) -> None:
    discovered = requests.get(served.url + DISCOVERY, headers=_token(DISCOVERY), timeout=10)
    assert [one["id"] for one in discovered.json()["services"]] == ["cytopenia-review"]
    assert _call(served, _token(SERVICE)).status_code == 200
    for audience in (FEEDBACK, SERVICE):
        told = requests.post(
            served.url + FEEDBACK, json={"feedback": [overridden()]}, headers=_token(audience), timeout=10
        )
        assert told.status_code == 200
    lines = [line for line in served.lines if line.get("status") == 200]
    assert {(line["client"], line["tenant"]) for line in lines} == {(ISSUER, "north")}


def test_health_and_preflight_need_no_token(served: Served) -> None:
    for path in ("/livez", "/readyz", "/openapi.json", "/about"):
        assert requests.get(served.url + path, timeout=10).status_code == 200, path
    assert requests.options(served.url + DISCOVERY, timeout=10).status_code in {200, 204}


def test_what_the_request_says_of_its_host_moves_no_audience(served: Served) -> None:
    elsewhere = "attacker.example.org"
    said = {"Host": elsewhere, "X-Forwarded-Host": elsewhere, "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    aud = {"aud": f"https://{elsewhere}{SERVICE}"}
    refused = {"Authorization": bearer(None, claims(datetime.now(UTC), **aud))}
    assert _call(served, said | refused).status_code == 401
    assert _call(served, said | _token(SERVICE)).status_code == 200


def test_of_eight_uses_of_one_token_at_once_over_all_workers_one_succeeds(served: Served) -> None:
    for _ in range(3):
        headers = _token(SERVICE)
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _, sent=headers: _call(served, sent).status_code, range(8)))
        assert sorted(statuses) == [200] + [401] * 7


def test_a_change_of_keys_needs_no_restart(served: Served, folder: Path) -> None:
    new = rsa_key("new")
    token = {"alg": "RS384", "kid": new.kid}

    def with_new_key() -> int:
        body = claims(datetime.now(UTC))
        return _call(served, {"Authorization": bearer(header(**token), body, key=new)}).status_code

    keys = folder / "keys.json"
    assert with_new_key() == 401
    keys.write_bytes(key_set(public_jwk(ec_key()), public_jwk(new)))
    assert with_new_key() == 200
    assert _call(served, _token(SERVICE)).status_code == 200, "the old key still holds"
    keys.write_bytes(key_set(public_jwk(ec_key())))
    assert with_new_key() == 401, "a key that is gone is trusted no more"


def test_the_log_names_the_reason_and_no_token(served: Served) -> None:
    expired = _token(SERVICE, iat=1, exp=200)
    assert _call(served, expired).status_code == 401
    line = [line for line in served.lines if line.get("status") == 401][-1]
    assert line["refusalReason"] == "expired"
    assert "client" not in line, "nothing is proven of who called"
    log = json.dumps(served.lines)
    assert all(part not in log for part in expired["Authorization"].removeprefix("Bearer ").split("."))
