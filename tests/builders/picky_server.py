"""The sandbox's FHIR server on loopback, with the peculiarities of others laid over it. Data are synthetic."""

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.serving import make_server

from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore
from tests.builders import chart

_NUMBERS = itertools.count(1)
Refuses = Callable[[Request], Response | None]
"""Answers a request itself, or leaves it to the server (None)."""
Retells = Callable[[Request, dict[str, Any]], Mapping[str, Any] | None]
"""Changes a document before it is sent; None leaves it as it is."""


@dataclass
class PickyServer:
    """`asked` holds the path and parameters of every request but those for the CapabilityStatement."""

    base: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    introductions: int = 0

    def searches(self, resource_type: str) -> list[dict[str, str]]:
        """The parameters of the searches for one type, in the order they came."""
        return [parameters for path, parameters in list(self.asked) if path.rpartition("/")[2] == resource_type]


@contextmanager
def picky_server(
    resources: Iterable[Mapping[str, Any]],
    refuses: Refuses | None = None,
    retells: Retells | None = None,
    media_type: str = "application/fhir+json",
) -> Iterator[PickyServer]:
    """Serve these resources (and the chart's Patient)."""
    store, seen = FhirStore(lambda: chart.AS_OF), PickyServer()
    for resource in (chart.patient(), *resources):
        store.put(resource)
    app = Flask(__name__)
    path = f"/fhir/{next(_NUMBERS)}"  # a base of its own, though a port may come again
    app.register_blueprint(create_fhir_blueprint(store), url_prefix=path)

    @app.before_request
    def note() -> Response | None:
        if request.path.endswith("/metadata"):
            seen.introductions += 1
        else:
            seen.asked.append((request.path, request.args.to_dict()))
        return refuses(request) if refuses else None

    @app.after_request
    def retell(response: Response) -> Response:
        told = retells(request, response.get_json()) if retells else None
        if told is not None:
            response.set_data(json.dumps(told))
        response.headers["Content-Type"] = media_type
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    seen.base = f"http://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join(5)
