"""Room: tracing. The phases of a call as OpenTelemetry spans, one a room. The one place that knows OpenTelemetry.

A span holds the room's name, times, the host asked, the kind of resource and what came of it: no URL, no id, no text of
a caller. What the caller's `traceparent` says of itself is taken; its `tracestate`, which may hold anything, is not.
"""

import os
from collections.abc import Callable, Mapping
from threading import Lock

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cds_service.call_phases import Phase

_EXPORT_SECONDS = 3.0
"""What a collector hasn't taken by then is lost: a process that ends waits no longer."""
_KINDS = {"web": SpanKind.SERVER, "fetching": SpanKind.CLIENT}
_W3C = TraceContextTextMapPropagator()


def sent_to(endpoint: str) -> Callable[[], SpanProcessor]:
    """The way to a collector, OTLP over HTTP in batches: `endpoint` is its base URL, as `http://collector:4318`."""
    url = endpoint.rstrip("/") + "/v1/traces"
    return lambda: BatchSpanProcessor(OTLPSpanExporter(url, timeout=_EXPORT_SECONDS))


class SpanListener:
    """Makes a span of each phase, and hands it to the way out.

    Its threads don't survive a fork: each process opens its own with its first call. Sampling, headers for the
    collector and more resource attributes are set by OpenTelemetry's own variables (OTEL_*).
    """

    def __init__(self, way_out: Callable[[], SpanProcessor], versions: Mapping[str, str]) -> None:
        """Opens nothing yet; `versions` are those of software and knowledge."""
        self._way_out = way_out
        self._about = {"service.name": "cytopenia-cds", "service.version": versions.get("software", "")}
        self._about["cds.knowledge.version"] = versions.get("knowledge", "")
        self._tracers: dict[int, Tracer] = {}
        self._opening = Lock()

    def begins(self, phase: Phase) -> None:
        """Open its span below that of the phase around it, or below the caller's."""
        if phase.parent is None:
            around = _W3C.extract({"traceparent": phase.caller}, Context())
        elif isinstance(phase.parent.span, Span):
            around = set_span_in_context(phase.parent.span, Context())
        else:
            return
        span = self._tracer().start_span(phase.name, around, _KINDS.get(phase.name, SpanKind.INTERNAL))
        phase.span = span
        if phase.name == "fetching":
            told: dict[str, str] = {}
            _W3C.inject(told, set_span_in_context(span, Context()))
            phase.traceparent = told["traceparent"]

    def ends(self, phase: Phase) -> None:
        """Close its span with what came of it."""
        span = phase.span
        if not isinstance(span, Span):
            return
        if span.is_recording():
            span.set_attributes(_attributes(phase))
        if phase.failed or (phase.name == "fetching" and phase.outcome != "answered"):
            span.set_status(StatusCode.ERROR)
        span.end()

    def _tracer(self) -> Tracer:
        tracer = self._tracers.get(os.getpid())
        return self._opened() if tracer is None else tracer

    def _opened(self) -> Tracer:
        with self._opening:
            process = os.getpid()
            if process not in self._tracers:
                provider = TracerProvider(resource=Resource.create(self._about))
                provider.add_span_processor(self._way_out())
                self._tracers = {process: provider.get_tracer("cds_service")}
            return self._tracers[process]


def _attributes(phase: Phase) -> dict[str, str | int]:
    if phase.name == "web":
        return {"cds.endpoint": phase.about, "http.response.status_code": int(phase.outcome or 0)}
    if phase.name == "fetching":
        return {"server.address": phase.server, "fhir.resource_type": phase.about, "cds.outcome": phase.outcome}
    return {}
