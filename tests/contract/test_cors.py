"""EHRs that call from a browser: the listed origins, and no other (CORS rows)."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders.conversation import FEEDBACK, ORIGIN, SERVICE, valid_call, without

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
FOREIGN = ["https://evil.example.org", "http://ehr.example.org", f"{ORIGIN}.evil.example", "null", f"{ORIGIN}:8443"]


@pytest.mark.parametrize("url", ["/cds-services", SERVICE, FEEDBACK])
def test_cors_1_and_4_a_preflight_from_a_listed_origin_succeeds_without_token(client: FlaskClient, url: str) -> None:
    answer = client.options(url, headers={"Origin": ORIGIN, **PREFLIGHT})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"authorization", "content-type"} <= _listed(answer, "Access-Control-Allow-Headers")
    offered = "get" if url == "/cds-services" else "post"
    assert offered in _listed(answer, "Access-Control-Allow-Methods")


def test_cors_2_and_5_every_answer_to_a_listed_origin_is_readable_there(client: FlaskClient) -> None:
    headers = {"Origin": ORIGIN}
    for answer in (
        client.get("/cds-services", headers=headers),
        client.post(SERVICE, json=valid_call(), headers=headers),
        client.post(SERVICE, json=without(valid_call(), "prefetch"), headers=headers),
        client.post(SERVICE, data=b"x", headers=headers),
        client.get("/nothing", headers=headers),
        client.get(SERVICE, headers=headers),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN, answer.status
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", FOREIGN)
def test_cors_3_another_origin_is_told_nothing(client: FlaskClient, origin: str) -> None:
    for answer in (
        client.options(SERVICE, headers={"Origin": origin, **PREFLIGHT}),
        client.post(SERVICE, json=valid_call(), headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118
        assert "Origin" in answer.headers["Vary"], "a cache must not hand this answer to a listed origin"


def _listed(answer: TestResponse, header: str) -> set[str]:
    return {item.strip().lower() for item in answer.headers[header].split(",")}
