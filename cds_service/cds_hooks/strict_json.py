"""Bytes to a JSON object, strictly (RFC 8259, CDS Hooks 3.0 "JSON"). Knows no member's meaning.

Two readings, each for what the other can't do. orjson refuses what the standard library lets pass (NaN, a byte order
mark, lone surrogates, numbers beyond a double, a depth of 1024). The standard library then keeps the text of every
number, as Decimal: a double would turn 3.99999999999999999 into 4.0 and move it across a limit, and would lose the
digits a laboratory reported (2.90).
"""

import json
import re
from decimal import Decimal

import orjson

from cds_service.cds_hooks.errors import RequestInvalid

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of NUL, and not a backslash that is itself escaped before the letters u0000."""
MAX_NUMBER_LENGTH = 1000
"""Characters of one number; the longest exact value of a double has 767 significant digits."""
MAX_EXPONENT = 400
"""Largest exponent, either sign; beyond it lies no double, and writing such a number out would fill the memory."""


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
    _check_strictness(body)
    if b"\\u0000" in body and _NUL.search(body):
        raise RequestInvalid("A text in the body holds a NUL character, which no text can have.")
    decoded = _DECODER.decode(body.decode("utf-8"))
    if not isinstance(decoded, dict):
        raise RequestInvalid("The body is JSON but not an object; send one JSON object.")
    return decoded


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


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_float=_exact_number, parse_int=_exact_integer)
