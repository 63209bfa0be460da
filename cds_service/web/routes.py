"""The protocol's routes: discovery, the call, feedback. Takes no decision; knows no medicine and no status code."""

from flask import Flask, Response
from flask import request as http_request

from cds_service.cds_hooks.clients import Authenticate
from cds_service.cds_hooks.discovery import describe_services
from cds_service.cds_hooks.errors import ServiceUnknown
from cds_service.cds_hooks.feedback_report import parse_feedback
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.response_json import encode_json, encode_response
from cds_service.services.registry import CdsService
from cds_service.web.body import read_json_body
from cds_service.web.edge import Edge
from cds_service.web.request_log import current_call

_JSON = "application/json"
_FOR_CLIENTS = frozenset({"discovery", "call", "feedback"})
"""The endpoints that ask who calls."""


def register(app: Flask, edge: Edge) -> None:
    """Serve `/cds-services` and what lies below it."""
    _authenticate_first(app, edge.authenticate)
    discovery_body = encode_json(describe_services(service.description for service in edge.services.values()))

    @app.get("/cds-services")
    def discovery() -> Response:
        return Response(discovery_body, content_type=_JSON)

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = _find_service(edge, service_id)
        request = parse_request(read_json_body(edge.max_body_bytes), service.description.hook)
        record = current_call()
        record.hook_instance = request.hook_instance
        answer, record.facts = service.answer(request, record.client, record.received_at)
        return Response(encode_response(answer), content_type=_JSON)

    @app.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        _find_service(edge, service_id)
        entries = parse_feedback(read_json_body(edge.max_body_bytes))
        record = current_call()
        edge.feedback_store.store(entries, record.received_at, service_id, record.client)
        record.feedback_entries = len(entries)
        return Response(status=200)


def _authenticate_first(app: Flask, authenticate: Authenticate) -> None:
    """Know who calls before anything else of the call is looked at."""

    @app.before_request
    def know_client() -> None:
        if http_request.endpoint in _FOR_CLIENTS and http_request.method != "OPTIONS":
            current_call().client = authenticate(http_request.headers.get("Authorization"), http_request.path)


def _find_service(edge: Edge, service_id: str) -> CdsService:
    service = edge.services.get(service_id)
    if service is None:
        raise ServiceUnknown("No CDS service with this id is offered here; GET /cds-services lists those that are.")
    current_call().service = service_id
    return service
