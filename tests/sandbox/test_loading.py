"""Loading Bundles on servers of other habits, and files of other people."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from cds_service.sandbox.loading import Loadable, LoadError, bundles_of, load_bundle

BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:1",
            "resource": {"resourceType": "Patient"},
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "resource": {"resourceType": "Observation", "id": "o", "subject": {"reference": "urn:uuid:1"}},
            "request": {"method": "PUT", "url": "Observation/o"},
        },
    ],
}


class PlainServer:
    """A FHIR server that takes single updates only, and no resource with the id `refused`.

    What else it is asked it answers in HTML, or, at /json/fhir, with an OperationOutcome.
    """

    def __init__(self) -> None:
        self.taken: dict[str, Any] = {}
        app = Flask("plain_fhir_server")
        for base in ("/fhir", "/json/fhir"):
            app.add_url_rule(f"{base}/<path:url>", f"put{base}", view_func=self.put, methods=["PUT"])
        app.add_url_rule(
            "/json/fhir", view_func=lambda: (jsonify(resourceType="OperationOutcome"), 405), methods=["POST"]
        )
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, url: str) -> Response | tuple[Response, int]:
        body = request.get_json(force=True)
        if body["id"] == "refused":
            return jsonify(resourceType="OperationOutcome", issue=[{"diagnostics": "no such code"}]), 422
        self.taken[url] = body
        return jsonify(body)


@pytest.fixture
def plain_server() -> Iterator[PlainServer]:
    running = PlainServer()
    thread = threading.Thread(target=running.server.serve_forever)
    thread.start()
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


@pytest.mark.parametrize("base", ["/fhir", "/json/fhir"])
def test_without_transactions_each_resource_is_put_with_its_references(plain_server: PlainServer, base: str) -> None:
    assert load_bundle(Loadable("b.json", BUNDLE), plain_server.url + base) == 2
    (patient,) = (url for url in plain_server.taken if url.startswith("Patient/"))
    assert plain_server.taken["Observation/o"]["subject"] == {"reference": patient}


def test_a_refused_resource_is_named_with_the_servers_reason(plain_server: PlainServer) -> None:
    entry = {
        "resource": {"resourceType": "Observation", "id": "refused"},
        "request": {"method": "PUT", "url": "Observation/refused"},
    }
    with pytest.raises(LoadError, match=r"b\.json, Observation/refused: .* 422: no such code"):
        load_bundle(Loadable("b.json", {**BUNDLE, "entry": [entry]}), plain_server.url + "/fhir")


def test_files_and_folders_are_read_and_dated_by_the_index_beside_them(tmp_path: Path) -> None:
    (tmp_path / "r4").mkdir()
    dated = {"resourceType": "Bundle", "timestamp": "2026-01-15T00:00:00Z"}
    (tmp_path / "r4" / "a.json").write_text(json.dumps(dated))
    alone = tmp_path / "alone" / "deep" / "b.json"
    alone.parent.mkdir(parents=True)
    alone.write_text(json.dumps(dated))
    (tmp_path / "index.json").write_text(json.dumps({"referenceDay": "2026-01-15"}))
    (tmp_path / "alone" / "index.json").write_text("{}")
    read = list(bundles_of((tmp_path / "r4", alone), date(2026, 1, 25)))
    assert [(one.name, one.bundle["timestamp"]) for one in read] == [
        ("a.json", "2026-01-25T00:00:00Z"),
        ("b.json", "2026-01-15T00:00:00Z"),
    ]


@pytest.mark.parametrize("content", ["{", "[]", '{"resourceType": "Patient"}'])
def test_a_file_that_is_no_bundle_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(LoadError, match=r"x\.json"):
        list(bundles_of((tmp_path,), date(2026, 1, 25)))
