"""One HTTP call of the page's EHR, kept so that it can be read and made again. Knows no page and no FHIR."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

_FOR_CURL = frozenset({"accept", "authorization", "content-type"})
_END = "END_OF_BODY"


@dataclass(frozen=True)
class Call:
    """What was sent and what came back. `document` is None for a GET, `answer` for an empty body; `at` is in UTC."""

    method: str
    url: str
    sent_headers: Mapping[str, str]
    document: object
    status: int
    headers: Mapping[str, str]
    answer: object
    milliseconds: float
    at: datetime

    @property
    def sent_json(self) -> str:
        """The body that was sent, indented; "" where there was none."""
        return "" if self.document is None else pretty(self.document)

    @property
    def answer_json(self) -> str:
        """The body that came back, indented; "" where there was none."""
        return "" if self.answer is None else pretty(self.answer)

    @property
    def curl(self) -> str:
        """A command for a POSIX shell that makes the same call. The body is a here-document: it may be long."""
        headers = [f"-H {shlex.quote(f'{k}: {v}')}" for k, v in self.sent_headers.items() if k.lower() in _FOR_CURL]
        command = " \\\n  ".join([f"curl -sS -X {self.method} {shlex.quote(self.url)}", *headers])
        if self.document is None:
            return command
        return f"{command} \\\n  --data-binary @- <<'{_END}'\n{self.sent_json}\n{_END}"


def pretty(document: object) -> str:
    """JSON for reading."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
