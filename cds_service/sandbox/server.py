"""The sandbox's Flask app and the HTTP server it runs in. Handed the CDS service; knows not what that judges."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.authorization_server import AuthorizationServer, create_authorization_blueprint
from cds_service.sandbox.chart_room import ChartRoom
from cds_service.sandbox.chart_view import listed_patients
from cds_service.sandbox.dating import Dating
from cds_service.sandbox.ehr import Ehr
from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fhir_server.transaction import run_bundle
from cds_service.sandbox.fixtures import FixtureIndex
from cds_service.sandbox.launch_service import create_launch_blueprint
from cds_service.sandbox.page import create_page_blueprint
from cds_service.sandbox.watched_tokens import WatchedTokens, watch
from cds_service.trend_view.drawing import warm_up

FHIR_PATH = "/sandbox/fhir"
AUTHORIZATION_PATH = "/sandbox/auth"


class PortTaken(Exception):
    """The address can't be listened on; the message is one line."""


def filled_store(index: FixtureIndex, today: date) -> FhirStore:
    """A FHIR store with every synthetic patient, dated so that the reference day is `today`."""
    store = FhirStore(lambda: datetime.now(UTC))
    for _, bundle in index.bundles(today):
        run_bundle(store, bundle)
    return store


def add_sandbox(app: Flask, base_url: str, index: FixtureIndex, store: FhirStore, knowledge: Knowledge) -> None:
    """Put the FHIR server and the chart page on an app that serves the CDS service at `base_url`."""
    ehr = Ehr(service=base_url, fhir_server=base_url + FHIR_PATH)
    app.register_blueprint(create_fhir_blueprint(store), url_prefix=FHIR_PATH)
    room = ChartRoom(ehr, index, store, knowledge, WatchedTokens())
    watch(app, room.tokens, FHIR_PATH)
    app.register_blueprint(create_page_blueprint(room))


def keep_recent(app: Flask, store: FhirStore, dated_to: date) -> None:
    """Move what the store holds now on with the calendar, whenever a request comes on a new day."""
    dating = Dating(store, dated_to, lambda: datetime.now(UTC).date())
    app.before_request(dating.keep_up)


def add_authorization_server(app: Flask, base_url: str, index: FixtureIndex, store: FhirStore) -> None:
    """Let the trend be launched as a SMART app: a stand-in for an authorization server, told of by the FHIR server."""
    server = AuthorizationServer(
        url=base_url + AUTHORIZATION_PATH,
        fhir_server=base_url + FHIR_PATH,
        app=base_url,
        patients=lambda: listed_patients(index, store),
    )
    app.register_blueprint(create_authorization_blueprint(server), url_prefix=AUTHORIZATION_PATH)
    app.register_blueprint(create_launch_blueprint(), url_prefix=FHIR_PATH)
    app.add_url_rule(f"{FHIR_PATH}/.well-known/smart-configuration", view_func=server.configuration)


@contextmanager
def listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A listening socket and the URL to reach it by; port 0 takes a free one.

    Raises:
        PortTaken: when it can't be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            reason = (error.strerror or "not possible").lower()
            raise PortTaken(f"Can't listen on {host}:{port} ({reason}). Choose another with --port.") from error
        listener.listen(128)
        reached = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if family == socket.AF_INET6 else host  # noqa: S104
        yield listener, f"http://{reached}:{listener.getsockname()[1]}"


class _RequestHandler(WSGIRequestHandler):
    timeout = 5.0
    """Seconds that a sender may pause; a stopping sandbox waits no longer for anyone."""


def serve(app: Flask, listener: socket.socket, when_ready: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT, a thread per request."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = listener.getsockname()[:2]
    server = make_server(host, port, app, threaded=True, fd=listener.fileno(), request_handler=_RequestHandler)
    listener.close()  # the server has its own copy, and closes that when it stops: later callers are refused
    server.daemon_threads = False  # type: ignore[attr-defined]  # closing waits for the calls in flight

    def stop(*_: object) -> None:
        # shutdown() waits for the loop that this handler interrupted, so another thread has to ask for it
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    when_ready()
    threading.Thread(target=warm_up, daemon=True).start()
    server.serve_forever()
    server.server_close()
