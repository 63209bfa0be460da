"""Whatever is done to a right token, the answer is a refusal: never a yes, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cds_hooks.errors import ClientRefused
from cds_service.client_authentication.refusals import Reason
from tests.builders.client_authentication import CLIENT, authentication
from tests.builders.client_tokens import (
    ISSUER,
    JWKS_URL,
    PUBLIC_URL,
    SERVICE,
    bearer,
    claims,
    ec_key,
    encode,
    header,
    token,
)

RIGHT = token()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
"""Any text but one with NUL, which no JSON that is read here may hold."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=8,
)


def _outcome(authorization: str | None) -> str | None:
    """The reason of the refusal, None when the token was taken. Anything else fails the test."""
    try:
        assert authentication().authenticate(authorization, SERVICE) == CLIENT
    except ClientRefused as refused:
        return Reason(refused.reason).value
    return None


@given(st.text())
def test_any_text_in_the_header_field_is_refused(text: str) -> None:
    assert _outcome(text) is not None
    assert _outcome(f"Bearer {text}") is not None


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_as_parts_of_a_token_are_refused(head: bytes, body: bytes, signature: bytes) -> None:
    assert _outcome(f"Bearer {encode(head)}.{encode(body)}.{encode(signature)}") is not None


@given(st.integers(0, len(RIGHT) - 1), st.sampled_from(ALPHABET + ".=+/ \n\x00\u00e9"))
def test_a_token_with_one_character_changed_is_refused(place: int, character: str) -> None:
    changed = RIGHT[:place] + character + RIGHT[place + 1 :]
    assert (_outcome(f"Bearer {changed}") is None) == (changed == RIGHT)


@given(st.integers(0, len(RIGHT)), st.sampled_from(ALPHABET + ".="))
def test_a_token_with_one_character_more_or_less_is_refused(place: int, character: str) -> None:
    assert _outcome(f"Bearer {RIGHT[:place]}{character}{RIGHT[place:]}") is not None
    if place < len(RIGHT):
        assert _outcome(f"Bearer {RIGHT[:place]}{RIGHT[place + 1 :]}") is not None


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "jku", "crit", "b64"])
@given(value=JSON)
def test_a_header_signed_with_any_other_value_is_refused(name: str, value: Any) -> None:
    right = header(jku=JWKS_URL)
    is_right = name in right and (value == right[name] or (name == "typ" and str(value).upper() == "JWT"))
    assert (_outcome(bearer({**header(), name: value}, algorithm="ES384")) is None) == is_right


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat"])
@given(value=JSON)
def test_claims_signed_with_any_other_value_are_refused(name: str, value: Any) -> None:
    is_right = name == "iss" and value == ISSUER
    assert (_outcome(bearer(None, {**claims(), name: value})) is None) == is_right


@given(JSON)
def test_a_jti_is_text_or_the_token_is_refused(value: Any) -> None:
    taken = isinstance(value, str) and value != "" and value.isprintable() and len(value) <= 500
    assert (_outcome(bearer(None, claims() | {"jti": value})) is None) == taken


@given(st.dictionaries(TEXT, JSON, max_size=4), st.dictionaries(TEXT, JSON, max_size=4))
def test_members_that_nobody_knows_change_nothing(more_header: dict[str, Any], more_claims: dict[str, Any]) -> None:
    """Header members and claims that aren't understood are ignored (RFC 7515, 4; RFC 7519, 4)."""
    head, body = more_header | header(), more_claims | claims()
    known = {"crit", "b64", "jku"} & more_header.keys() or {"nbf", "tenant"} & more_claims.keys()
    too_deep_or_large = any(len(json.dumps(part)) > 8000 for part in (head, body))
    if not known and not too_deep_or_large:
        assert _outcome(bearer(head, body)) is None


@given(st.lists(st.sampled_from(["https://other.example.org", PUBLIC_URL + SERVICE, PUBLIC_URL]), max_size=5))
def test_an_audience_array_is_right_when_it_holds_the_endpoint(values: list[str]) -> None:
    assert (_outcome(bearer(None, claims(aud=values))) is None) == (PUBLIC_URL + SERVICE in values)


@given(st.integers(-90_000, 90_000), st.integers(-90_000, 90_000), st.none() | st.integers(-90_000, 90_000))
def test_times_are_right_within_an_hour_and_a_minute(issued: int, expires: int, not_before: int | None) -> None:
    at = claims()["iat"]
    nbf = None if not_before is None else at + not_before
    right = issued <= 60 and expires > -60 and 0 < expires - issued <= 3600 and (not_before or 0) <= 60
    taken = _outcome(bearer(None, claims(iat=at + issued, exp=at + expires, nbf=nbf))) is None
    assert taken == right


@given(st.integers(-70, 70), st.integers(-70, 70))
def test_times_are_right_to_the_second(issued: int, expires: int) -> None:
    at = claims()["iat"]
    right = issued <= 60 and expires > -60 and expires > issued
    assert (_outcome(bearer(None, claims(iat=at + issued, exp=at + expires))) is None) == right


def test_the_key_that_signs_all_this_is_the_trusted_one() -> None:
    assert _outcome(bearer(key=ec_key())) is None
