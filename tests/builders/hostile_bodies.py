"""Bodies that are no strict JSON, or no honest HTTP, by class; each case is what is sent for one path. Synthetic."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.builders import chart
from tests.builders.conversation import accepted, overridden

LIMIT = 2_000_000
"""The size limit of the service that these are sent to; 100,000 levels fit below it."""
MARK = "Marker"
CALL: dict[str, Any] = chart.call(
    chart.prefetch(
        [
            {"wbc": 2.9, "days": 1, "note": MARK},
            {"plt": 88, "days": 1},
            {"wbc": "clotted", "days": 2},
            {"condition": "icd10cm K74.60", "days": 400},
            {"medication": "rxnorm 6851", "days": 60},
        ]
    ),
    fhirServer="http://127.0.0.1:9/fhir",
    fhirAuthorization={"access_token": MARK, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"},
    extension={"org.example.x": {"a": 1}},
)
REPORT: dict[str, Any] = {
    "feedback": [
        accepted(extension={"org.example.x": {"a": 1}}),
        overridden(overrideReason={"reason": {"code": "a", "system": "b"}, "userComment": MARK}),
    ]
}
SPLICED = "\x01spliced\x01"

Raw = Callable[[str], bytes]
"""A path to the bytes of a whole request."""


def posted(body: bytes, *headers: str, content_type: str = "application/json") -> Raw:
    """The body with an honest Content-Length."""
    return lambda path: _head(path, f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers) + body


def framed(*headers: str, body: bytes = b"") -> Raw:
    """The body behind headers of the case's own."""
    return lambda path: _head(path, "Content-Type: application/json", *headers) + body


def _head(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "\r\n"]).encode("latin-1")


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each object of a body is."""
    if isinstance(value, dict):
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from objects(member, (*path, key))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value that is no object and no array is."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if isinstance(member, dict | list):
            yield from leaves(member, (*path, key))
        else:
            yield (*path, key)


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The body with another value at a place."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = with_value(value[path[0]], path[1:], new)
    return changed


def spliced(body: Any, path: tuple[Any, ...], raw: str) -> bytes:
    """The body with this text, as it stands, in place of a value."""
    return (
        json.dumps(with_value(body, path, SPLICED)).replace(json.dumps(SPLICED), raw).encode("utf-8", "surrogatepass")
    )


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def doubled(body: Any) -> Iterator[bytes]:
    """The body with a member of one object twice: every object in turn, its first member, and by another spelling."""
    for path in objects(body):
        found = _at(body, path)
        if found:
            name, inner = next(iter(found)), json.dumps(found)[1:]
            for spelled in (json.dumps(name), '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"'):
                yield spliced(body, path, f"{{{spelled}: {json.dumps(MARK)}, {inner}")


def _everywhere(body: Any, *raw: str) -> Iterator[bytes]:
    return (spliced(body, path, text) for path in leaves(body) for text in raw)


def _deep(body: Any) -> Iterator[bytes]:
    for levels in (260, 2_000, 100_000):
        yield b"[" * levels + b"]" * levels
        yield b'{"a":' * levels + b"1" + b"}" * levels
        yield b"[" * levels
        yield b'{"a":' * levels
        for path in list(leaves(body))[::7]:
            yield spliced(body, path, "[" * levels + "]" * levels)


def _other_charsets(body: Any) -> Iterator[Raw]:
    told = body | {"extension": {"org.example.x": "µ"}}
    text = json.dumps(told, ensure_ascii=False)
    for charset in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7", "utf-8-sig"):
        if charset != "utf-7":  # which looks like ASCII, and says so nowhere
            yield posted(text.encode(charset))
        yield posted(text.encode(charset), content_type=f"application/json; charset={charset}")
    for charset in ("latin-1", "utf-16", "shift_jis", "x-marker", '"utf-7"'):
        yield posted(json.dumps(body).encode(), content_type=f"application/json; charset={charset}")
    for broken in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
        yield posted(json.dumps(told).encode().replace(b"\\u00b5", broken))


def _lies_about_length(body: bytes) -> Iterator[Raw]:
    for length in (len(body) + 1, len(body) + 1000, 1):
        yield framed(f"Content-Length: {length}", body=body)
    for odd in ("-1", "+5", "0x10", "5,5", "5 5", "1e3", "", MARK, "9" * 40, "\u00b2"):
        yield framed(f"Content-Length: {odd}", body=body)
    yield framed("Content-Length: 5", "Content-Length: 6", body=body)
    yield framed("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    yield framed(body=body)


def _broken_chunks(body: bytes) -> Iterator[Raw]:
    size = f"{len(body):x}".encode()
    for raw in (
        b"", size, size + b"\r\n", size + b"\r\n" + body, size + b"\r\n" + body + b"\r\n",
        b"zz\r\n" + body + b"\r\n0\r\n\r\n",
        b"-5\r\n" + body + b"\r\n0\r\n\r\n", b"0x5\r\n" + body + b"\r\n0\r\n\r\n", b"+5\r\n" + body + b"\r\n0\r\n\r\n",
        b"f" * 20 + b"\r\n" + body, b"5\r\n" + body + b"\r\n0\r\n\r\n", size + b"\n" + body + b"\n0\n\n",
        size + b"\r\n" + body + MARK.encode() + b"\r\n0\r\n\r\n", b" " + size + b"\r\n" + body, b"5;" + b"x" * 100_000,
        size + b"\r\n" + body + b"\r\n0\r\n" + b"X-Marker: 1\r\n" * 20_000, b"\r\n\r\n", b"0;\x00\r\n\r\n",
    ):  # fmt: skip
        yield framed("Transfer-Encoding: chunked", body=raw)
    for coding in ("gzip, chunked", "chunked, chunked", "identity", "gzip", MARK, "chunked;x=1", "xchunked", ""):
        yield framed(f"Transfer-Encoding: {coding}", body=size + b"\r\n" + body + b"\r\n0\r\n\r\n")


def _too_long() -> Iterator[Raw]:
    body = b" " * (LIMIT + 1)
    yield posted(body)
    yield framed(f"Content-Length: {LIMIT + 1}")
    yield framed(f"Content-Length: {10**15}")
    for size in (LIMIT + 1, LIMIT // 2 + 1, 65_537):
        chunk = f"{size:x}\r\n".encode() + b" " * size + b"\r\n"
        yield framed("Transfer-Encoding: chunked", body=chunk * (LIMIT // size + 1) + b"0\r\n\r\n")


def too_long() -> list[Raw]:
    """Longer than the limit, by Content-Length and in chunks (413)."""
    return list(_too_long())


def not_plain(body: Any) -> list[Raw]:
    """Compressed, or not declared as JSON (415)."""
    text = json.dumps(body).encode()
    codings = ("gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "identity, gzip", "gzip, identity", MARK)
    types = (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        MARK,
        "",
        "json",
        "text/html",
    )
    return [
        *(posted(gzip.compress(text), f"Content-Encoding: {coding}") for coding in codings),
        *(posted(text, content_type=media_type) for media_type in types),
    ]  # fmt: skip


def broken_framing(body: Any) -> dict[str, list[Raw]]:
    """What is no honest HTTP: 400, 408, 411, 413, 501."""
    text = json.dumps(body).encode()
    return {"lies about its length": list(_lies_about_length(text)), "broken chunks": list(_broken_chunks(text))}


def no_strict_json(body: Any) -> dict[str, list[Raw]]:
    """What is honest HTTP and no strict JSON (400)."""
    text = json.dumps(body).encode()
    trailing = (b"{}", b"x", b"\x00", b",", b"]", text, b"//", b"\xef\xbb\xbf", b"\xa0", b"\x0c")
    numbers = ("NaN", "Infinity", "-Infinity", "-NaN", "nan", "1e400", "-1e400", "1e-999999999", "1E+99999")
    spelled = ("01", "+1", ".5", "1.", "0x1", "1_000", "--1", "1e", "9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000)
    surrogates = ('"\\ud800"', '"\\udc00x"', '"\\udc00\\ud800"', '"\udcff"', '"\\ud800\\u0041"')
    return {
        "members twice": [posted(one) for one in doubled(body)],
        "numbers that are none": [posted(one) for one in _everywhere(body, *numbers)],
        "numbers spelled oddly or endless": [posted(one) for one in _everywhere(body, *spelled)],
        "lone surrogates": [posted(one) for one in _everywhere(body, *surrogates)],
        "NUL and control characters": [
            posted(one) for one in _everywhere(body, '"\\u0000"', '"a\\\\\\u0000"', '"\x00"', '"\n"', '"\x1f"')
        ],
        "other text than JSON": [
            posted(one)
            for one in (b"", b" ", b"null", b"1", b'"x"', b"[]", text[:-1], text[1:], b"<a/>", b"{'a': 1}", b'{"a":1,}')
        ],
        "trailing data": [*(posted(text + one) for one in trailing), *(posted(one + text) for one in trailing[:5])],
        "too deep": [posted(one) for one in _deep(body)],
        "other charsets": list(_other_charsets(body)),
    }  # fmt: skip


def valid() -> dict[str, Raw]:
    """The bodies that the others are made of, as they should be."""
    return {"call": posted(json.dumps(CALL).encode()), "report": posted(json.dumps(REPORT).encode())}


def of_wrong_types() -> list[tuple[str, Raw]]:
    """A value of another type wherever the protocol names one (400): nothing is taken for something else."""
    named = [("hook",), ("hookInstance",), ("context",), ("context", "userId"), ("context", "patientId"), ("prefetch",)]
    named += [("fhirServer",), ("fhirAuthorization",), ("fhirAuthorization", "access_token")]
    reported = [("feedback",), ("feedback", 0), ("feedback", 0, "card"), ("feedback", 0, "outcome")]
    reported += [
        ("feedback", 0, "outcomeTimestamp"),
        ("feedback", 0, "acceptedSuggestions"),
        ("feedback", 1, "overrideReason"),
    ]
    odd: tuple[Any, ...] = (True, False, 1, 0, 1.5, [MARK], [[]])
    return [
        (kind, posted(json.dumps(with_value(body, path, value)).encode()))
        for kind, body, paths in (("call", CALL, named), ("report", REPORT, reported))
        for path in paths
        for value in (*odd, {MARK: 1})
        if not (isinstance(value, dict) and isinstance(_at(body, path), dict))
        and not (isinstance(value, list) and isinstance(_at(body, path), list) and value == [])
    ]  # fmt: skip


NOTHING_OF_OURS = re.compile(
    rb"Traceback|\.py\b|site-packages|orjson|[Ff]lask|[Ww]erkzeug|gunicorn|Error\b|Exception|/(?:usr|home|tmp|var)/"
)
