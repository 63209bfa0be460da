"""Calls to what an operator typed."""

import pytest

from cds_service.outbound.errors import CallFailed
from cds_service.outbound.plain import get_json, post_json
from tests.builders.raw_server import answer, hangs, raw_server


def test_every_status_is_an_answer() -> None:
    with raw_server(
        answer("412 Precondition Failed", b'{"resourceType": "OperationOutcome"}'), answer(body=b"")
    ) as server:
        refused = post_json(server.base, {"hook": "patient-view"}, headers={"X-A": "b"})
        assert (refused.status, refused.document) == (412, {"resourceType": "OperationOutcome"})
        assert (get_json(server.base).status, get_json(server.base).document) == (200, None)
        assert server.requests[0].endswith(b'{"hook": "patient-view"}')
        assert b"X-A: b" in server.requests[0]


def test_what_is_no_answer_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # loopback never goes through a proxy
    with raw_server(answer(body=b"<html>")) as server, pytest.raises(CallFailed) as failed:
        get_json(server.base)
    assert failed.value.reason == "malformed"
    with raw_server(hangs) as server, pytest.raises(CallFailed) as failed:
        get_json(server.base, timeout=0.2)
    assert failed.value.reason == "timeout"
    with pytest.raises(CallFailed) as failed:
        get_json(server.base)
    assert failed.value.reason == "not-reached"
    with pytest.raises(CallFailed) as failed:
        get_json("not a url")
    assert failed.value.reason == "malformed"
