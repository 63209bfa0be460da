"""Any valid call or report, bent in any one or two places: an answer or a refusal, never a failure (ERR-6)."""

from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden, valid_call

CALL = valid_call(
    fhirServer="http://127.0.0.1:9/fhir",
    fhirAuthorization={"access_token": "t", "token_type": "Bearer", "expires_in": 1, "scope": "x", "subject": "y"},
)
REPORT = {"feedback": [accepted(), overridden(overrideReason={"reason": {"code": "a", "system": "b"}})]}
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def bent(draw: st.DrawFn, body: Any) -> Any:
    """The body with one or two values replaced or dropped."""
    for _ in range(draw(st.integers(1, 2))):
        body = _bend(draw, body)
    return body


def _bend(draw: st.DrawFn, value: Any) -> Any:
    deeper = isinstance(value, dict | list) and value and draw(st.integers(0, 9)) > 0
    if not deeper:
        return draw(JSON)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    changed = value.copy()
    if draw(st.integers(0, 4)) == 0:
        del changed[key]
    else:
        changed[key] = _bend(draw, value[key])
    return changed


@BOUNDED
@given(body=bent(CALL))
def test_a_bent_call_is_answered_or_refused(client: FlaskClient, body: Any) -> None:
    answer = client.post(SERVICE, json=body)
    assert answer.status_code in {200, 400, 412, 415}, answer.get_data(as_text=True)
    if answer.status_code == 200:
        assert_response_conforms(answer.get_json())
    else:
        assert_operation_outcome(answer.get_json(force=True))


@BOUNDED
@given(body=bent(REPORT))
def test_a_bent_report_is_taken_or_refused(client: FlaskClient, body: Any) -> None:
    assert client.post(FEEDBACK, json=body).status_code in {200, 400, 415}


@BOUNDED
@given(body=st.binary(max_size=60))
def test_any_bytes_are_refused(client: FlaskClient, body: bytes) -> None:
    for url in (SERVICE, FEEDBACK):
        answer = client.post(url, data=body, content_type="application/json")
        assert answer.status_code == 400
        assert_operation_outcome(answer.get_json(force=True))


@BOUNDED
@given(
    path=st.text(max_size=30).map(lambda text: "/cds-services/" + text)
    | st.text(max_size=30).map(lambda text: "/" + text),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]),
    header=st.sampled_from(["Authorization", "Origin", "Accept", "Content-Type", "Content-Encoding", "Host"]),
    value=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)
def test_any_address_method_and_header_is_answered(
    client: FlaskClient, path: str, method: str, header: str, value: str
) -> None:
    wsgi_path = {"PATH_INFO": path.encode().decode("latin-1")}  # past the test client, which takes //x for a host
    assert client.open(method=method, headers={header: value}, environ_overrides=wsgi_path).status_code < 500
