"""What FHIR servers do wrong, by name, as answers to one search. Every word of theirs is marked SECRET."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.builders import chart
from tests.builders.fhir_stub import outcome
from tests.builders.raw_server import Behaviour, answer, closes, hangs, repeats, resets, sends

Resource = dict[str, Any]
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_ERROR = {"resource": outcome("error"), "search": {"mode": "outcome"}}
SECRET = b"SECRET-DIAGNOSTICS"


@dataclass(frozen=True)
class Spoilt:
    """What a fault may need: the search's own matches, the base of this server and of another one that is listed."""

    matches: list[Resource]
    base: str
    elsewhere: str

    def bundle(self, resources: list[Resource] | None = None, **members: Any) -> Resource:
        """The searchset of the matches, or of other resources."""
        return chart.searchset(self.matches if resources is None else resources, **members)

    def of(self, patient: str | None) -> list[Resource]:
        """The matches, as another patient's or nobody's."""
        subject = {} if patient is None else {"subject": {"reference": f"Patient/{patient}"}}
        return [{name: value for name, value in one.items() if name != "subject"} | subject for one in self.matches]


def _json(document: object, **more: Any) -> Behaviour:
    return answer(body=json.dumps(document).encode(), **more)


def _status(line: str, *headers: str) -> Behaviour:
    return _json(outcome("fatal"), status=line, headers=headers)


def _next(spoilt: Spoilt, url: str) -> Behaviour:
    return _json(spoilt.bundle(total=None, link=[{"relation": "next", "url": url}]))


def _latin(spoilt: Spoilt) -> Behaviour:
    body = json.dumps(spoilt.bundle(note="Müller"), ensure_ascii=False).encode("latin-1")
    return answer(body=body, media_type="application/fhir+json;charset=iso-8859-1")


FAULTS: Mapping[str, Callable[[Spoilt], Behaviour]] = {
    "answers 401": lambda _: _status("401 Unauthorized", "WWW-Authenticate: Bearer realm=SECRET-DIAGNOSTICS"),
    "answers 403": lambda _: _status("403 Forbidden"),
    "answers 404": lambda _: _status("404 Not Found"),
    "answers 410": lambda _: _status("410 Gone"),
    "answers 429": lambda _: _status("429 Too Many Requests", "Retry-After: 1"),
    "answers 500": lambda _: _status("500 Internal Server Error"),
    "answers 503, again when asked once more": lambda _: _status("503 Service Unavailable"),
    "redirects": lambda spoilt: _status("302 Found", f"Location: {spoilt.elsewhere}/Observation"),
    "answers an OperationOutcome with 200": lambda _: _json(outcome("error")),
    "answers a Bundle with an error in it and nothing else": lambda _: _json(
        {"resourceType": "Bundle", "type": "searchset", "entry": [_ERROR]}
    ),
    "answers a login page": lambda _: answer(body=b"<html>SECRET-DIAGNOSTICS</html>", media_type="text/html"),
    "answers XML": lambda _: answer(body=b"<Bundle/>", media_type="application/fhir+xml"),
    "cuts its JSON off": lambda spoilt: answer(body=json.dumps(spoilt.bundle()).encode()[:-40]),
    "answers no JSON object": lambda spoilt: _json(spoilt.matches),
    "answers null": lambda _: answer(body=b"null"),
    "answers nothing": lambda _: answer(body=b""),
    "answers NaN": lambda spoilt: _json(spoilt.bundle(total=float("nan"))),
    "names a member twice": lambda spoilt: answer(
        body=json.dumps(spoilt.bundle()).replace('"total"', '"type": "searchset", "total"').encode()
    ),
    "nests 100,000 deep": lambda _: answer(body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "answers in another charset": _latin,
    "compresses unasked": lambda spoilt: answer(
        body=gzip.compress(json.dumps(spoilt.bundle()).encode()), headers=["Content-Encoding: gzip"]
    ),
    "answers another type of resource": lambda spoilt: _json(
        spoilt.bundle([{"resourceType": "Patient", "id": chart.PATIENT}])
    ),
    "answers another patient's data": lambda spoilt: _json(spoilt.bundle(spoilt.of("somebody-else"))),
    "answers nobody's data": lambda spoilt: _json(spoilt.bundle(spoilt.of(None))),
    "announces 100 MB": lambda _: sends(_HEAD + b"Content-Length: 100000000\r\n\r\n", hangs),
    "sends 100 MB": lambda _: sends(_CHUNKED, repeats(b"100000\r\n" + b" " * 0x100000 + b"\r\n", limit=100)),
    "never answers": lambda _: hangs,
    "drips its header": lambda _: sends(_HEAD, repeats(b"X-A: b\r\n", pause=0.05)),
    "drips its body": lambda _: sends(_HEAD + b"Content-Length: 100000\r\n\r\n", repeats(b" ", pause=0.05)),
    "stops in its body": lambda _: sends(_HEAD + b"Content-Length: 100000\r\n\r\n{", hangs),
    "closes the connection": lambda _: closes,
    "resets the connection": lambda _: resets,
    "closes in its body": lambda _: sends(_HEAD + b"Content-Length: 100\r\n\r\n{", closes),
    "speaks no HTTP": lambda _: sends(b"220 SECRET-DIAGNOSTICS\r\n\r\n", closes),
    "sends headers without end": lambda _: sends(_HEAD, repeats(b"X-A: b\r\n")),
    "answers an error beside its matches": lambda spoilt: _json(
        spoilt.bundle() | {"entry": [*spoilt.bundle()["entry"], _ERROR]}
    ),
    "answers another patient's data beside its matches": lambda spoilt: _json(
        spoilt.bundle([*spoilt.matches, spoilt.of("somebody-else")[0] | {"id": "other"}])
    ),
    "gives less than its total says": lambda spoilt: _json(spoilt.bundle(total=99)),
    "fails on the next page": lambda spoilt: _next(spoilt, f"{spoilt.base}/page-that-fails"),
    "names a next page elsewhere": lambda spoilt: _next(spoilt, f"{spoilt.elsewhere}/Observation?page=2"),
    "names a next page outside its base": lambda spoilt: _next(spoilt, f"{spoilt.base}/../admin"),
    "names the same next page for ever": lambda spoilt: _next(spoilt, f"{spoilt.base}/Observation?code=for-ever"),
}
"""A server that ... (the search it answers so); every other search is answered properly."""
