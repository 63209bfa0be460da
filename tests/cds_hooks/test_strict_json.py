"""Numbers keep every digit; what is not strict JSON is refused. (The refusals over HTTP: tests/contract.)"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.response_json import encode_json
from cds_service.cds_hooks.strict_json import MAX_NUMBER_LENGTH, decode_call, decode_object, decode_part


@pytest.mark.parametrize(
    "text",
    [
        "3.9600000000000004",
        "3.99999999999999999",
        "2.90",
        "0.1",
        "4.0",
        "1e3",
        "-0.0",
        "3.8500000000000000888178",
        "1E-7",
    ],
)
def test_a_number_is_what_was_written(text: str) -> None:
    value = decode_object(b'{"value": ' + text.encode() + b"}")["value"]
    assert isinstance(value, Decimal)
    assert str(value) == str(Decimal(text))


def test_a_count_just_below_the_limit_stays_below_it() -> None:
    value = decode_object(b'{"value": 3.99999999999999999}')["value"]
    assert isinstance(value, Decimal)
    assert value < Decimal(4)
    assert float(value) == 4.0, "the case that a double gets wrong"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=20))
def test_a_decimal_survives_writing_and_reading(value: Decimal) -> None:
    read = decode_object(encode_json({"value": value}))["value"]
    assert read == value


@given(st.integers(min_value=-(10**50), max_value=10**50))
def test_an_integer_stays_one(value: int) -> None:
    read = decode_object(b'{"value": ' + str(value).encode() + b"}")["value"]
    assert read == value
    assert isinstance(read, int)


def test_a_number_may_be_long_but_not_endless() -> None:
    assert decode_object(b'{"value": 0.' + b"1" * (MAX_NUMBER_LENGTH - 2) + b"}")
    with pytest.raises(RequestInvalid, match="more than 1000 characters"):
        decode_object(b'{"value": 0.' + b"1" * (MAX_NUMBER_LENGTH - 1) + b"}")


@pytest.mark.parametrize("text", ["1e401", "1e-401", "0e999999999", "0e-999999999", "1E-99999999999999999999"])
def test_an_exponent_no_laboratory_needs_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid, match=r"out of range|not valid JSON"):
        decode_object(b'{"value": ' + text.encode() + b"}")


def test_a_depth_of_250_is_read_and_one_of_260_is_not() -> None:
    assert decode_object(b'{"a":' + b"[" * 249 + b"]" * 249 + b"}")
    with pytest.raises(RequestInvalid, match="nested too deeply"):
        decode_object(b'{"a":' + b"[" * 259 + b"]" * 259 + b"}")


def test_a_member_given_twice_is_refused_wherever_it_is() -> None:
    with pytest.raises(RequestInvalid, match="same member twice"):
        decode_object(b'{"prefetch": {"x": {"value": 3.0, "value": 5.0}}}')


def test_the_message_tells_the_place_and_not_the_text() -> None:
    with pytest.raises(RequestInvalid) as refused:
        decode_object(b'{"name": "Marker^Name",\n "x" 1}')
    assert "line 2" in refused.value.message
    assert "Marker" not in refused.value.message


def test_text_of_any_script_is_read() -> None:
    assert decode_object('{"unit": "个/μL", "emoji": "\\ud83d\\ude00"}'.encode()) == {"unit": "个/μL", "emoji": "😀"}


_NAMES = st.sampled_from(['"prefetch"', '"\\u0070refetch"', '"x\\"prefetch"', '"a"', '"b"'])


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text, some of them with a member twice, spaced in several ways."""
    members = st.tuples(_NAMES, st.sampled_from([":", " :\n "]), values).map("".join)
    return st.tuples(st.lists(members, max_size=4), st.sampled_from([",", " , "])).map(
        lambda drawn: "{" + drawn[1].join(drawn[0]) + "}"
    )


_VALUES = st.recursive(
    st.sampled_from(["1", "2.90", '"a"', '"prefetch"', '"\\"prefetch"', '"é"', '"\\u0000"', "null", "{}", "[ ]"]),
    lambda values: st.one_of(st.lists(values, max_size=3).map(lambda of: f"[{','.join(of)}]"), _objects(values)),
    max_leaves=12,
)


def _whole(body: bytes) -> object:
    """The call with all of its prefetch decoded, or why it is refused."""
    try:
        members = decode_call(body)
        prefetch = members.get("prefetch")
        if isinstance(prefetch, dict):
            decoded = {key: decode_part(part) if isinstance(part, Raw) else part for key, part in prefetch.items()}
            members = members | {"prefetch": decoded}
        return members
    except RequestInvalid as refused:
        return refused.message.partition(" at line")[0]


def _at_once(body: bytes) -> object:
    try:
        return decode_object(body)
    except RequestInvalid as refused:
        return refused.message.partition(" at line")[0]


@given(_objects(_VALUES), _objects(_VALUES))
def test_a_call_is_read_as_if_it_were_decoded_at_once(document: str, prefetch: str) -> None:
    for body in (document, '{"a": 1, "prefetch": ' + prefetch + ', "b": ' + document + "}"):
        assert _whole(body.encode()) == _at_once(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"prefetch": {"a": 1}, "prefetch": {"a": 1}}',
        b'{"prefetch": {"a": 1}, "prefetch": {"a": 2}}',
        b'{"\\u0070refetch": {"a": 1}, "prefetch": {"a": 1}}',
        b'{"prefetch": {"a": 1, "a": 1}}',
        b'{"prefetch": {"a": 1}, "context": {"x": 1, "x": 2}}',
    ],
)
def test_a_member_of_a_call_given_twice_is_refused(body: bytes) -> None:
    with pytest.raises(RequestInvalid, match="same member twice"):
        decode_call(body)


def test_prefetch_is_that_of_the_call_and_not_one_within_it() -> None:
    read = decode_call(b'{"context": {"prefetch": {"a": 1}}, "x": "\\"prefetch", "prefetch": {"a": 2}}')
    assert read["context"] == {"prefetch": {"a": 1}}
    assert read["prefetch"] in ({"a": 2}, {"a": Raw(b"2")})
    same = decode_call(b'{"context": {"prefetch": {"a": 1}}, "prefetch": {"a": 1}}')
    assert same["context"] == {"prefetch": {"a": 1}}


@pytest.mark.parametrize("broken", [b'"\xff"', b'"\\ud800"', b"01", b"NaN", b"1 2"])
def test_what_is_no_json_is_refused_wherever_it_stands_in_a_call(broken: bytes) -> None:
    for body in (b'{"prefetch": {"a": 1}, "b": %s}', b'{"prefetch": {"a": %s}}', b'{"prefetch": {}} %s'):
        assert "not valid JSON" in str(_whole(body % broken))


@pytest.mark.parametrize(("text", "why"), [(b"\\u0000", "NUL character"), (b"\xff", "not valid JSON")])
def test_what_no_text_can_hold_is_refused_before_prefetch_is_read(text: bytes, why: str) -> None:
    with pytest.raises(RequestInvalid, match=why):
        decode_call(b'{"prefetch": {"a": "' + text + b'"}}')
