"""Headers that protect, probes, pages."""

from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from tests.builders.conversation import FEEDBACK, SERVICE, accepted, valid_call
from tests.web.conftest import OPS_TOKEN, MakeClient

OPERATOR = {"Authorization": f"Bearer {OPS_TOKEN}"}


def test_every_answer_carries_the_headers_that_protect(make_client: MakeClient) -> None:
    client = make_client(pages={"/about": lambda: "<p>Synthetic</p>"})
    for answer in (
        client.get("/cds-services"),
        client.post(SERVICE, json=valid_call()),
        client.post(FEEDBACK, json={"feedback": [accepted()]}),
        client.post(SERVICE, data=b"x"),
        client.get("/nothing"),
        client.get("/about"),
        client.get("/livez"),
    ):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Vary" not in answer.headers, "no origin is listed: answers don't depend on it"


def test_only_what_is_the_same_for_everyone_is_cached(client: FlaskClient) -> None:
    assert client.post(SERVICE, json=valid_call()).headers["Cache-Control"] == "no-store"
    assert client.get("/nothing").headers["Cache-Control"] == "no-store"
    assert client.get("/cds-services").headers["Cache-Control"] == "no-store", "it may be for trusted clients only"
    assert client.get("/openapi.json").headers["Cache-Control"] == "max-age=300"


def test_a_page_is_served_as_it_is_handed_in(make_client: MakeClient) -> None:
    client = make_client(pages={"/about": lambda: "<p>µ</p>", "/about/causes": lambda: "<p>causes</p>"})
    assert client.get("/about").get_data(as_text=True) == "<p>µ</p>"
    assert client.get("/about").content_type == "text/html; charset=utf-8"
    assert client.get("/about/causes").get_data(as_text=True) == "<p>causes</p>"


def test_a_live_process_says_so(client: FlaskClient) -> None:
    assert client.get("/livez").get_json() == {"status": "alive"}


@pytest.mark.parametrize(("works", "status", "word"), [(True, 200, "ready"), (False, 503, "not ready")])
def test_readiness_is_a_word_for_anyone_and_details_for_the_operator(
    make_client: MakeClient, works: bool, status: int, word: str
) -> None:
    client = make_client(readiness={"feedback store": lambda: works}, versions={"knowledge": "2026.1+abc"})
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": OPS_TOKEN}, {"Authorization": "Bearer é"}):
        answer = client.get("/readyz", headers=headers)
        assert (answer.status_code, answer.get_json()) == (status, {"status": word})
    details = client.get("/readyz", headers=OPERATOR).get_json()
    assert details["versions"] == {"knowledge": "2026.1+abc"}
    assert details["checks"] == {"feedback store": "working" if works else "failing"}


def test_calls_are_still_taken_without_what_they_can_do_without_and_it_is_said(make_client: MakeClient) -> None:
    client = make_client(readiness={"redis": lambda: True}, dispensable={"database": lambda: False, "keys": None})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "degraded"})
    assert client.get("/readyz", headers=OPERATOR).get_json()["checks"] == {
        "redis": "working",
        "database": "failing",
        "keys": "off",
    }


def test_without_an_operators_token_nobody_is_told_details(make_client: MakeClient) -> None:
    client = make_client(ops_token=None, versions={"knowledge": "x"})
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert client.get("/readyz", headers=headers).get_json() == {"status": "ready"}


def test_answers_do_not_depend_on_the_address_they_are_asked_at(client: FlaskClient) -> None:
    bodies = [client.get("/cds-services", base_url=url).data for url in ("http://a.example", "https://b.example")]
    assert all(first == second for first, second in pairwise(bodies))
