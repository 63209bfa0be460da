"""Traces: one span a room, below the caller's, told on to the FHIR server, sent by forked workers; never a patient."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from cds_service.app import create_app
from cds_service.call_phases import Listener
from cds_service.composition.traces import trace_listeners
from cds_service.settings import Settings
from cds_service.tracing import SpanListener
from tests.builders import chart
from tests.builders.collector import Collector, collector
from tests.builders.conversation import SERVICE, valid_call
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub
from tests.builders.serving import serving

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = f"00-{TRACE}-{PARENT}-01"
SERVERS = "http://127.0.0.1:*/fhir"
PATIENT = "secret-patient-77"
ROOMS = {"web", "authenticating", "parsing", "gathering", "fetching", "reading", "assessing", "composing", "auditing"}


def _call(stub: FhirStub) -> dict[str, Any]:
    body = chart.call({}) | {"fhirServer": stub.base}
    return body | {"context": body["context"] | {"patientId": PATIENT, "userId": "Practitioner/secret-user"}}


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    """A FHIR server that has no counts, and fails when asked for conditions."""
    replies = {
        f"Patient/{PATIENT}": chart.patient(id=PATIENT),
        "Observation": chart.searchset([]),
        "Condition": Reply({}, 500),
        "MedicationRequest": chart.searchset([]),
    }
    with fhir_stub(replies) as serving_stub:
        yield serving_stub


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, stub: FhirStub) -> Collector:
    """What a collector was sent of one call to a server of two processes, once the server has ended."""
    headers = {"traceparent": CALLER, "tracestate": "vendor=secret-state"}
    settings = {"CDS_AUTH": "off", "CDS_FHIR_SERVERS": SERVERS}
    with collector() as kept:
        with serving(tmp_path_factory.mktemp("traced"), CDS_OTLP_ENDPOINT=kept.url, **settings) as served:
            answer = requests.post(served.url + SERVICE, json=_call(stub), headers=headers, timeout=20)
            assert answer.status_code == 200, answer.text
        return kept


def _told_on(stub: FhirStub) -> set[str]:
    return {one.headers[name] for one in stub.asked for name in one.headers if name.lower() == "traceparent"}


@pytest.mark.server
def test_a_call_is_one_trace_below_the_callers_with_a_span_for_each_room(traced: Collector, stub: FhirStub) -> None:
    spans = {span.span_id.hex(): span for span in traced.spans if span.trace_id.hex() == TRACE}
    assert {span.name for span in spans.values()} == ROOMS
    (whole,) = (span for span in spans.values() if span.name == "web")
    assert whole.parent_span_id.hex() == PARENT
    for span in spans.values():
        if span is not whole:
            around = spans[span.parent_span_id.hex()]
            assert around.name == ("gathering" if span.name == "fetching" else "web")
            assert around.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    fetches = {span_id for span_id, span in spans.items() if span.name == "fetching"}
    assert _told_on(stub) == {f"00-{TRACE}-{span_id}-01" for span_id in fetches}
    assert "tracestate" not in {name.lower() for one in stub.asked for name in one.headers}


@pytest.mark.server
def test_a_request_that_failed_is_marked_with_what_came_of_it(traced: Collector) -> None:
    told = [
        ({pair.key: pair.value.string_value for pair in span.attributes}, span.status.code) for span in traced.spans
    ]
    failed = {"server.address": "127.0.0.1", "fhir.resource_type": "Condition", "cds.outcome": "server-error"}
    assert (failed, 2) in told


@pytest.mark.server
def test_no_span_holds_anything_of_the_patient_or_the_caller(traced: Collector) -> None:
    sent = b"".join(traced.requests)
    assert sent
    for secret in (PATIENT, "secret", "Practitioner", "patient=", "/fhir", chart.HOOK_INSTANCE):
        assert secret.encode() not in sent
    attributes = {pair.key for span in traced.spans for pair in span.attributes}
    assert attributes == {
        "cds.endpoint", "http.response.status_code", "server.address", "fhir.resource_type", "cds.outcome",
    }  # fmt: skip


def _client(folder: Path, *listeners: Listener) -> FlaskClient:
    settings = Settings(auth="off", database_url=f"sqlite:///{folder}/records.sqlite3", fhir_servers=(SERVERS,))
    return create_app(settings, clock=lambda: chart.AS_OF, listeners=listeners).test_client()


@pytest.mark.parametrize(
    "caller", ["", "junk", CALLER[:-1], "x" * 70_000, CALLER.replace(TRACE, "0" * 32)], ids=range(5)
)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(tmp_path: Path, caller: str) -> None:
    kept = InMemorySpanExporter()
    client = _client(tmp_path, SpanListener(lambda: SimpleSpanProcessor(kept), {}))
    assert client.post(SERVICE, json=valid_call(), headers={"traceparent": caller}).status_code == 200
    whole = kept.get_finished_spans()[-1]
    assert (whole.name, whole.parent) == ("web", None)
    assert whole.context is not None
    assert format_trace_id(whole.context.trace_id) not in {TRACE, "0" * 32}


def test_what_the_caller_does_not_sample_is_not_kept(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    client = _client(tmp_path, SpanListener(lambda: SimpleSpanProcessor(kept), {}))
    assert client.post(SERVICE, json=valid_call(), headers={"traceparent": CALLER[:-2] + "00"}).status_code == 200
    assert not kept.get_finished_spans()


def test_untraced_nothing_is_told_on(tmp_path: Path) -> None:
    assert trace_listeners(Settings(auth="off"), {}) == ()
    with fhir_stub({}) as asked:
        client = _client(tmp_path)
        assert client.post(SERVICE, json=_call(asked), headers={"traceparent": CALLER}).status_code == 412
        assert asked.asked
        assert _told_on(asked) == set()


def test_without_the_extra_the_start_is_refused_by_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cds_service.tracing", None)
    with pytest.raises(ValueError, match=r"^CDS_OTLP_ENDPOINT: .*\[otel\]"):
        trace_listeners(Settings(auth="off", otlp_endpoint="http://127.0.0.1:4318"), {})
