"""Bytes to a JSON object, strictly (RFC 8259, CDS Hooks 3.0 "JSON"). Knows no member's meaning.

Of a call, the grammar of the whole is checked at once; what prefetch holds is decoded when, and if, it is read.

Plainly harmless text is decoded in one reading, by msgspec. Else it takes two, each for what the other can't do:
orjson refuses what the standard library lets pass (NaN, a byte order mark, lone surrogates, numbers beyond a double, a
depth of 1024). The standard library then keeps the text of every number, as Decimal: a double would turn
3.99999999999999999 into 4.0 and move it across a limit, and would lose the digits a laboratory reported (2.90).
"""

import json
import re
from decimal import Decimal

import msgspec
import orjson

from cds_service.cds_hooks.errors import RequestInvalid

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of NUL, and not a backslash that is itself escaped before the letters u0000."""
MAX_NUMBER_LENGTH = 1000
"""Characters of one number; the longest exact value of a double has 767 significant digits."""
_LEVELS = 250
"""As many brackets at most that a text can't be nested too deeply, whatever they are."""
_DIGITS = 300
"""Digits of a number that is below every limit."""
_DIGITS_APART = re.compile(rb"[0-9]{6}")
"""What a number of so many digits shows where only each fiftieth byte is looked at."""
MAX_EXPONENT = 400
"""Largest exponent, either sign; beyond it lies no double, and writing such a number out would fill the memory."""


def decode_call(body: bytes) -> dict[str, object]:
    """Decode the body of a call, but for the members of `prefetch`: they stay as they were sent, for `decode_part`.

    Raises:
        RequestInvalid: the body isn't one JSON object, or what was decoded of it isn't strict; as `decode_object`.
    """
    try:
        prefetch = _CALL.decode(body).prefetch
        place = _place_of(prefetch, body)
        if place is not None and _is_utf8(body) and not _has_nul(body):
            members = decode_object(body[: place.start] + _ELSEWHERE + body[place.stop :])
            if members["prefetch"] == 0:
                return members | {"prefetch": prefetch}
    except (msgspec.MsgspecError, RecursionError, RequestInvalid):
        pass
    return decode_object(body)


def decode_part(part: msgspec.Raw) -> object:
    """Decode what `decode_call` left as it was, as strictly as `decode_object` does. Raises RequestInvalid."""
    return _decode_text(bytes(part))


def _decode_text(text: bytes) -> object:
    """Decode one JSON value of any kind, as strictly as `decode_object` does. Raises RequestInvalid."""
    return _decode_harmless(text) if _is_harmless(text) else _decode(text)


def _is_harmless(text: bytes) -> bool:
    """Whether a text can be seen at a glance to have no escapes, no endless number and no depth beyond the limit."""
    brackets = text.count(b"{") + text.count(b"[")
    return brackets <= _LEVELS and b"\\" not in text and not _DIGITS_APART.search(text[::50])


def _decode_harmless(text: bytes) -> object:
    """Decode a text that `_is_harmless` in one reading. Raises RequestInvalid."""
    try:
        decoded = _AT_ONCE.decode(text)
        # Without escapes a string is two quotes: what has fewer than its text lost a doubled member.
        if type(decoded) is str or _AS_DECODED.encode(decoded).count(b'"') == text.count(b'"'):
            return decoded
    except (msgspec.MsgspecError, ValueError, ArithmeticError):
        pass
    return _decode(text)


def _is_utf8(body: bytes) -> bool:
    try:
        if not body.isascii():
            body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _place_of(prefetch: dict[str, msgspec.Raw], body: bytes) -> slice | None:
    """Where its object stands in the body; None where that can't be told, or it has a member twice."""
    found = _PREFETCH.search(body)
    if found is None:
        return None
    end = found.end()
    for part in prefetch.values():
        name = _NAME.match(body, end)
        if name is None or not body.startswith(part, name.end()):
            return None
        end = name.end() + len(memoryview(part))
    closed = _END.match(body, end)
    return slice(found.end(), closed.end()) if closed else None


def decode_object(body: bytes) -> dict[str, object]:
    """Decode a request body.

    Args:
        body: the bytes as received.

    Returns:
        The object. Numbers with a fraction or an exponent are Decimal, exactly as written; others are int.

    Raises:
        RequestInvalid: the body is not one strict JSON object; the message holds nothing of the body.
    """
    if not body.strip(b" \t\r\n"):
        raise RequestInvalid("The body is empty; send one JSON object.")
    decoded = _decode_text(body)
    if not isinstance(decoded, dict):
        raise RequestInvalid("The body is JSON but not an object; send one JSON object.")
    return decoded


def _decode(document: bytes) -> object:
    _check_strictness(document)
    if _has_nul(document):
        raise RequestInvalid("A text in the body holds a NUL character, which no text can have.")
    return _DECODER.decode(document.decode("utf-8"))


def _has_nul(document: bytes) -> bool:
    return b"\\" in document and _NUL.search(document) is not None


def _check_strictness(body: bytes) -> None:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestInvalid(f"The body is not valid JSON at line {error.lineno}, column {error.colno}.") from None
    try:
        # orjson reads 1024 levels and writes 254: what can't be written back is deeper than any FHIR resource, and
        # deep enough to exhaust the stack of whoever walks it after us.
        orjson.dumps(read)
    except orjson.JSONEncodeError:
        raise RequestInvalid("The body is nested too deeply; FHIR resources need far fewer than 250 levels.") from None


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RequestInvalid("An object in the body has the same member twice, so its value is not certain.")
    return members


def _exact_number(text: str) -> Decimal:
    _check_number_length(text)
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        raise RequestInvalid("A number in the body is out of range.")
    return Decimal(text)


def _exact_integer(text: str) -> int:
    _check_number_length(text)
    return int(text)


def _check_number_length(text: str) -> None:
    if len(text) > MAX_NUMBER_LENGTH:
        raise RequestInvalid(f"A number in the body has more than {MAX_NUMBER_LENGTH} characters.")


def _plain_number(text: str) -> Decimal:
    if len(text) > _DIGITS or "e" in text.lower():
        raise ValueError("to be judged strictly")
    return Decimal(text)


class _Call(msgspec.Struct):
    prefetch: dict[str, msgspec.Raw]


_CALL = msgspec.json.Decoder(_Call)
_PREFETCH = re.compile(rb'"prefetch"\s*:\s*(?={)')
_ELSEWHERE = b"0"
"""What stands for the object of `prefetch` while the rest is decoded: no object, so that it can't be another one."""
_AT_ONCE = msgspec.json.Decoder(float_hook=_plain_number)
_AS_DECODED = msgspec.json.Encoder(decimal_format="number")
_NAME = re.compile(rb'[\s{,]*"(?:[^"\\]|\\.)*"\s*:\s*')
_END = re.compile(rb"[\s{]*}")
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_float=_exact_number, parse_int=_exact_integer)
