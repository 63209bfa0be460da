"""Parts of a call decoded with what they share: the same values as strictly decoded ones, and the same refusals."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.shared_parts import SharingDecoder
from cds_service.cds_hooks.strict_json import decode_object

LONG = "x" * 700
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def shared(text: bytes) -> Any:
    return SharingDecoder()(Raw(text))


@given(st.dictionaries(st.text(), VALUES), st.booleans())
def test_an_object_is_what_strict_decoding_gives(value: dict[str, Any], escaped: bool) -> None:
    text = json.dumps({"resource": value | {"long": LONG}, "fullUrl": "a"}, ensure_ascii=escaped).encode(
        "utf-8", "surrogatepass"
    )
    try:
        expected = decode_object(text)
    except RequestInvalid:
        with pytest.raises(RequestInvalid):
            shared(text)
    else:
        assert repr(shared(text)) == repr(expected)


def test_numbers_keep_the_digits_that_were_reported() -> None:
    text = b'{"resource": {"value": 2.90, "low": 1, "long": "%s"}}' % LONG.encode()
    assert str(shared(text)["resource"]["value"]) == "2.90"
    assert shared(text)["resource"]["value"] == Decimal("2.9")
    assert type(shared(text)["resource"]["low"]) is int


def test_members_spelled_alike_are_one_object_and_others_are_not() -> None:
    decode = SharingDecoder()
    first, second, third = (
        decode(Raw(b'{"id": "%d", "code": {"text": "WBC"}, "value": {"value": %s}}' % (number, value)))
        for number, value in enumerate((b"2.9", b"2.90", b"2.9"))
    )
    assert first["code"] is second["code"]  # type: ignore[index]
    assert first["value"] is third["value"]  # type: ignore[index]
    assert first["value"] is not second["value"]  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        '{"resource": {"code": 1, "code": 2, "long": "LONG"}}',
        '{"resource": {"code": {"text": "a", "text": "b"}, "long": "LONG"}}',
        '{"resource": {"long": "LONG"}, "resource": {"long": "LONG"}}',
        '{"resource": {"code": [{"a": [], "a": []}], "long": "LONG"}}',
        '{"resource": {"code": 1, "\\u0063ode": 2, "long": "LONG"}}',
        '{"a": 1, "a": 2}',
    ],
)
def test_a_member_sent_twice_is_refused_wherever_it_is(text: str) -> None:
    with pytest.raises(RequestInvalid, match="same member twice"):
        shared(text.replace("LONG", LONG).encode())


@pytest.mark.parametrize("odd", ["1e400", "-1e-999", "9" * 400, "0." + "1" * 1100, "[" * 300 + "]" * 300, '"\\u0000"'])
def test_what_is_refused_elsewhere_is_refused_here(odd: str) -> None:
    text = f'{{"resource": {{"value": {odd}, "long": "{LONG}"}}}}'.encode()
    with pytest.raises(RequestInvalid):
        decode_object(text)
    with pytest.raises(RequestInvalid):
        shared(text)
