"""The protocol's routes: discovery, the call, feedback. Takes no decision; knows no medicine and no status code."""

from collections import Counter

from flask import Flask, Response
from flask import request as http_request

from cds_service.call_phases import Phase
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.discovery import describe_services
from cds_service.cds_hooks.errors import ServiceUnknown
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.cds_hooks.feedback_report import parse_feedback
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.response_json import encode_json, encode_response
from cds_service.feedback_summary.fates import name_reason
from cds_service.services.registry import CdsService
from cds_service.web.body import read_json_body
from cds_service.web.edge import Edge
from cds_service.web.request_log import current_call

_JSON = "application/json"
_FOR_CLIENTS = frozenset({"discovery", "call", "feedback"})
"""The endpoints that ask who calls."""


def register(app: Flask, edge: Edge) -> None:
    """Serve `/cds-services` and what lies below it."""
    _know_client_first(app, edge)
    discovery_body = encode_json(describe_services(service.description for service in edge.services.values()))

    @app.get("/cds-services")
    def discovery() -> Response:
        return Response(discovery_body, content_type=_JSON)

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = _find_service(edge, service_id)
        with Phase("parsing"):
            request = parse_request(read_json_body(edge.max_body_bytes), service.description.hook)
        record = current_call()
        record.hook_instance, record.about = request.hook_instance, request.context
        answer, record.facts = service.answer(request, record.client, record.received_at)
        return Response(encode_response(answer), content_type=_JSON)

    @app.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        _find_service(edge, service_id)
        entries = parse_feedback(read_json_body(edge.max_body_bytes))
        record = current_call()
        news = edge.feedback_store.store(entries, record.received_at, service_id, record.client)
        record.feedback_entries = len(entries)
        record.feedback_told = Counter((entry.outcome, _reason(edge, entry)) for entry in news)
        return Response(status=200)


def _know_client_first(app: Flask, edge: Edge) -> None:
    """Know who calls, and that it may call now, before anything else of the call is looked at."""

    @app.before_request
    def know_client() -> None:
        record, environ = current_call(), http_request.environ
        if record.endpoint not in _FOR_CLIENTS or environ["REQUEST_METHOD"] == "OPTIONS":
            return
        with Phase("authenticating"):
            record.client = edge.authenticate(environ.get("HTTP_AUTHORIZATION"), http_request.path)
        if not edge.admit(_name_of(record.client)):
            record.rate_limit = "unknown"


def _name_of(client: CdsClient) -> str:
    """What the calls of one caller are counted by: its proven issuer, else the address of its connection."""
    if client.issuer is None:
        return f"address {http_request.remote_addr}"
    return f"client {client.issuer} {client.tenant or ''}"


def _reason(edge: Edge, entry: FeedbackEntry) -> str:
    if entry.outcome == "accepted":
        return ""
    told = entry.override_reason
    return name_reason((told.system, told.code) if told else None, edge.override_reasons)


def _find_service(edge: Edge, service_id: str) -> CdsService:
    service = edge.services.get(service_id)
    if service is None:
        raise ServiceUnknown("No CDS service with this id is offered here; GET /cds-services lists those that are.")
    current_call().service = service_id
    return service
