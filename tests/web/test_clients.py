"""Who calls is known before anything else of a call is looked at."""

from typing import Any

import pytest

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.errors import ClientRefused, StoreUnavailable
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import FEEDBACK, SERVICE, overridden, valid_call
from tests.builders.fake_service import FakeService, FakeStore
from tests.web.conftest import MakeClient

NORTH = CdsClient("https://ehr.example.org", "north")
ENDPOINTS = [("get", "/cds-services"), ("post", SERVICE), ("post", FEEDBACK)]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_client_that_is_not_trusted_gets_no_answer_and_no_reason(
    make_client: MakeClient, lines: Any, method: str, path: str
) -> None:
    def refuse(authorization: str | None, called: str) -> CdsClient:
        assert (authorization, called) == ("Bearer nonsense", path)
        raise ClientRefused("signature")

    client = make_client(authenticate=refuse)
    answer = getattr(client, method)(path, headers={"Authorization": "Bearer nonsense"}, data=b"{not read")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_operation_outcome(answer.get_json())
    assert "signature" not in answer.get_data(as_text=True)
    (line,) = lines()
    assert (line["refused"], line["refusalReason"]) == ("ClientRefused", "signature")


def test_a_preflight_and_the_open_pages_ask_for_no_token(make_client: MakeClient) -> None:
    def refuse(*_: object) -> CdsClient:
        raise ClientRefused("missing")

    client = make_client(authenticate=refuse)
    assert client.options(SERVICE).status_code < 400
    assert client.get("/livez").status_code == 200
    assert client.get("/openapi.json").status_code == 200


def test_nobody_is_let_in_when_it_cannot_be_told_who_calls(make_client: MakeClient) -> None:
    def fail(*_: object) -> CdsClient:
        raise StoreUnavailable("The call could not be checked just now; send it again.")

    answer = make_client(authenticate=fail).post(SERVICE, json=valid_call())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_service_store_and_log_are_told_who_calls(
    make_client: MakeClient, service: FakeService, store: FakeStore, lines: Any
) -> None:
    client = make_client(authenticate=lambda *_: NORTH)
    assert client.post(SERVICE, json=valid_call()).status_code == 200
    assert client.post(FEEDBACK, json={"feedback": [overridden()]}).status_code == 200
    assert (service.clients, store.clients) == ([NORTH], [NORTH])
    assert [(line["client"], line["tenant"]) for line in lines()] == [("https://ehr.example.org", "north")] * 2
