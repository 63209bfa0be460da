"""Gathering from the sandbox's own FHIR server, with the templates as advertised: what is in the chart arrives."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds_service.cds_hooks.request import CdsRequest, PatientViewContext
from cds_service.knowledge.loader import load_knowledge
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.plain import get_json, post_json
from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.services.fhir_access import ListedServers
from cds_service.services.gathering import Gathered, gather
from cds_service.services.prefetch_templates import REQUIRED, prefetch_templates

PATIENTS = sorted((Path(__file__).parents[2] / "fhir_fixtures" / "r4").glob("*.json"))[:6]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    app = Flask(__name__)
    app.register_blueprint(
        create_fhir_blueprint(FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))), url_prefix="/fhir"
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.port}/fhir"
    for path in PATIENTS:
        assert post_json(address, json.loads(path.read_text(encoding="utf-8"))).status == 200
    yield address
    server.shutdown()
    thread.join(5)


def gathered(base: str, patient: str, templates: dict[str, str], prefetch: dict[str, object]) -> Gathered:
    request = CdsRequest("patient-view", "i", PatientViewContext("Practitioner/1", patient), base, None, prefetch)
    access = ListedServers(HttpClient(), AllowedServers.parse([base]))
    return gather(request, templates, REQUIRED, access, Deadline.after(10))


def ids(found: Gathered) -> dict[str, set[object]]:
    return {key: {entry.resource["id"] for entry in entries} for key, entries in found.entries.items()}


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_fetched_paged_and_prefetched_give_the_same(base: str, path: Path) -> None:
    resources = [entry["resource"] for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]]
    patient = next(resource["id"] for resource in resources if resource["resourceType"] == "Patient")
    templates = dict(prefetch_templates(load_knowledge()))
    fetched = gathered(base, patient, templates, {})
    assert fetched.not_available == fetched.incomplete == ()
    in_pages = {
        key: template.replace("_count=500", "_count=3").replace("_count=200", "_count=3")
        for key, template in templates.items()
    }
    assert ids(gathered(base, patient, in_pages, {})) == ids(fetched)
    queries = {key: template.replace("{{context.patientId}}", patient) for key, template in templates.items()}
    sent = {key: get_json(f"{base}/{query}").document for key, query in queries.items()}
    prefetched = gathered(base, patient, templates, sent)
    assert ids(prefetched) == ids(fetched)
    assert prefetched.fetched_ms == {}
    assert ids(fetched)["patient"] == {patient}
    assert ids(fetched)["conditions"] == {r["id"] for r in resources if r["resourceType"] == "Condition"}
