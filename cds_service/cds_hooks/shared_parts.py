"""JSON objects of one call decoded so that members spelled alike are one object: a laboratory repeats itself.

Knows no member's meaning. What is given is shared, so nobody may change it.
"""

import msgspec

from cds_service.cds_hooks.strict_json import MEMBERS, decode_harmless, decode_text, is_harmless

_NESTED = 600
"""Bytes from which on an object is a resource rather than an element: its own members are shared instead."""


class SharingDecoder:
    """Decodes parts of one call, as strictly as `decode_part`."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[object, int]] = {}

    def __call__(self, part: msgspec.Raw) -> object:
        """The value of a part. Raises RequestInvalid."""
        text = bytes(part)
        if not is_harmless(text) or not text.startswith(b"{"):
            return decode_text(text)
        decoded, quotes = self._object(text)
        return decoded if quotes == text.count(b'"') else decode_text(text)

    def _object(self, text: bytes) -> tuple[dict[str, object], int]:
        """An object, and how many quotes it takes to write it: fewer than its text has where a member is doubled."""
        decoded: dict[str, object] = {}
        quotes = 0
        for name, raw in MEMBERS.decode(text).items():
            spelled = bytes(raw)
            known = self._known.get(spelled)
            if known is None:
                known = self._known[spelled] = self._value(spelled)
            decoded[name] = known[0]
            quotes += known[1] + 2
        return decoded, quotes

    def _value(self, text: bytes) -> tuple[object, int]:
        if len(text) >= _NESTED and text.startswith(b"{"):
            return self._object(text)
        return decode_harmless(text), text.count(b'"')
