"""Yardstick (b): no framework, orjson parses the request, a fixed card is the answer. About the least Python can do."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson

from benchmarks.yardsticks.simple_rule import FIXED_CARD

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Parse the body of a call, answer the fixed card; tell anyone else that the server is up."""
    if environ["REQUEST_METHOD"] != "POST":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]
    orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    answer = orjson.dumps({"cards": [FIXED_CARD]})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
