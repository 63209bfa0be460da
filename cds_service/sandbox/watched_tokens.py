"""The access tokens that the page's EHR gives out: what is read with each, and how the FHIR server then fails.

Sits before the sandbox's FHIR server; a request without such a token passes unseen.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from urllib.parse import parse_qsl

import orjson
from flask import Flask, Response, g, request

from cds_service.sandbox.fhir_server.refusals import operation_outcome

_KEPT = 128
_CODE_PARAMETERS = frozenset({"code", "component-code", "combo-code"})
_DELAYS = {"slow": 1.0, "too-slow": 3.0}


@dataclass
class FhirRequest:
    """One request at the FHIR server: who asked (`EHR` or `service`) and what; `status` is None until answered."""

    reader: str
    method: str
    query: str
    fault: str
    status: int | None = None
    milliseconds: float = 0


@dataclass
class Watched:
    """What one opening of a chart reads: `templates` are the prefetch templates that faults are told by."""

    templates: Mapping[str, str]
    faults: Mapping[str, str]
    requests: list[FhirRequest] = field(default_factory=list)

    def fault_for(self, resource_type: str, parameters: list[tuple[str, str]]) -> str:
        """The fault chosen for the prefetch key that a request belongs to, "" for none."""
        asked = _codes(parameters)
        for key, fault in self.faults.items():
            path, _, query = self.templates.get(key, "").partition("?")
            codes = _codes(parse_qsl(query))
            if path.partition("/")[0] == resource_type and (not codes or codes & asked):
                return fault
        return ""


class WatchedTokens:
    """The latest tokens. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, tuple[str, Watched]] = OrderedDict()

    def give(self, reader: str, watched: Watched) -> str:
        """A new token for a reader."""
        token = f"sandbox-{token_urlsafe(18)}"
        with self._lock:
            self._tokens[token] = (reader, watched)
            while len(self._tokens) > _KEPT:
                self._tokens.popitem(last=False)
        return token

    def find(self, token: str) -> tuple[str, Watched] | None:
        """Who was given a token, and for what."""
        with self._lock:
            return self._tokens.get(token)


def watch(app: Flask, tokens: WatchedTokens, fhir_path: str) -> None:
    """Let requests below `fhir_path` that carry one of the tokens fail as chosen, and note them."""

    @app.before_request
    def fail() -> Response | None:
        if not request.path.startswith(f"{fhir_path}/"):
            return None
        found = tokens.find(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if found is None:
            return None
        reader, watched = found
        resource_type = request.path.removeprefix(f"{fhir_path}/").partition("/")[0]
        fault = watched.fault_for(resource_type, [*request.args.items(multi=True), *request.form.items(multi=True)])
        query = request.full_path.removeprefix(f"{fhir_path}/").rstrip("?")
        g.fhir_request, g.fhir_begun = FhirRequest(reader, request.method, query, fault), time.perf_counter()
        watched.requests.append(g.fhir_request)
        time.sleep(_DELAYS.get(fault, 0))
        return _failing(fault)

    @app.after_request
    def note(response: Response) -> Response:
        if "fhir_request" in g:
            g.fhir_request.status = response.status_code
            g.fhir_request.milliseconds = 1000 * (time.perf_counter() - g.fhir_begun)
        return response


def _failing(fault: str) -> Response | None:
    if fault == "not-json":
        return Response("<!doctype html><title>Sign in</title>", 200, content_type="text/html")
    if fault == "outcome" or fault.isdecimal():
        status = int(fault) if fault.isdecimal() else 200
        outcome = operation_outcome("exception", "This failure was asked for on the sandbox's page.")
        return Response(orjson.dumps(outcome), status, content_type="application/fhir+json")
    return None


def _codes(parameters: list[tuple[str, str]]) -> set[str]:
    return {code for name, value in parameters if name in _CODE_PARAMETERS for code in value.split(",")}
