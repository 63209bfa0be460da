"""The FHIR server over HTTP, as a Flask blueprint. Open to every origin: it holds synthetic patients on loopback."""

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import HTTPException

from cds_service.sandbox.fhir_server.capability import capability_statement
from cds_service.sandbox.fhir_server.paging import Pages
from cds_service.sandbox.fhir_server.refusals import FhirRefusal, operation_outcome
from cds_service.sandbox.fhir_server.search import search
from cds_service.sandbox.fhir_server.store import FhirStore, Resource, Stored
from cds_service.sandbox.fhir_server.transaction import run_bundle

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Prefer",
    "Access-Control-Expose-Headers": "Location, ETag, Content-Location",
}


def create_fhir_blueprint(store: FhirStore) -> Blueprint:
    """The FHIR R4 RESTful API over a store; mount it with `url_prefix`. Every answer is application/fhir+json."""
    api, blueprint = _Api(store), Blueprint("fhir", __name__)
    blueprint.add_url_rule("/metadata", view_func=api.metadata)
    blueprint.add_url_rule("/", view_func=api.bundle, methods=["POST"], strict_slashes=False)
    blueprint.add_url_rule("/<resource_type>", view_func=api.find)
    blueprint.add_url_rule("/<resource_type>", view_func=api.create, methods=["POST"])
    blueprint.add_url_rule("/<resource_type>/_search", view_func=api.find_by_post, methods=["POST"])
    blueprint.add_url_rule("/<resource_type>/<resource_id>", view_func=api.read)
    blueprint.add_url_rule("/<resource_type>/<resource_id>", view_func=api.update, methods=["PUT"])
    blueprint.add_url_rule("/<resource_type>/<resource_id>", view_func=api.delete, methods=["DELETE"])
    blueprint.register_error_handler(FhirRefusal, _refused)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.after_request(open_to_all)
    return blueprint


def _base() -> str:
    return url_for("fhir.bundle", _external=True).rstrip("/")


class _Api:
    def __init__(self, store: FhirStore) -> None:
        self._store = store
        self._pages = Pages(store)
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def metadata(self) -> Response:
        return _json(capability_statement(_base(), self._started))

    def bundle(self) -> Response:
        return _json(run_bundle(self._store, _body()))

    def find(self, resource_type: str) -> Response:
        token = request.args.get("_page")
        if token is None:
            return self.find_by_post(resource_type)
        return _json(self._pages.later(resource_type, token, request.args.get("_from", ""), _base()))

    def find_by_post(self, resource_type: str) -> Response:
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "")
        found = search(self._store, resource_type, pairs, _base(), strict)
        return _json(self._pages.first(resource_type, found, _base()))

    def create(self, resource_type: str) -> Response:
        return _stored(self._store.create(_body(resource_type)))

    def read(self, resource_type: str, resource_id: str) -> Response:
        return _json(self._store.read(resource_type, resource_id))

    def update(self, resource_type: str, resource_id: str) -> Response:
        resource = _body(resource_type)
        if resource.get("id") != resource_id:
            raise FhirRefusal(400, "invalid", "The resource's id must be the id in the URL.")
        return _stored(self._store.put(resource))

    def delete(self, resource_type: str, resource_id: str) -> Response:
        self._store.delete(resource_type, resource_id)
        return Response(status=204)


def _body(resource_type: str | None = None) -> Resource:
    try:
        body = orjson.loads(request.get_data(cache=False))
    except orjson.JSONDecodeError as error:
        raise FhirRefusal(400, "structure", "The body isn't JSON.") from error
    if not isinstance(body, dict):
        raise FhirRefusal(400, "structure", "The body must be one FHIR resource.")
    if resource_type is not None and body.get("resourceType") != resource_type:
        raise FhirRefusal(400, "invalid", f"The body must be a {resource_type}.")
    return body


def _json(resource: Mapping[str, object], status: int = 200) -> Response:
    response = Response(orjson.dumps(resource), status, content_type="application/fhir+json")
    meta = resource.get("meta")
    if isinstance(meta, dict) and "versionId" in meta:
        response.headers["ETag"] = f'W/"{meta["versionId"]}"'
    return response


def _stored(stored: Stored) -> Response:
    response = _json(stored.resource, 201 if stored.created else 200)
    response.headers["Location"] = f"{_base()}/{stored.resource['resourceType']}/{stored.resource['id']}"
    return response


def _refused(refusal: FhirRefusal) -> Response:
    return _json(operation_outcome(refusal.code, refusal.message), refusal.status)


def _http_error(error: HTTPException) -> Response:
    return _json(operation_outcome("processing", error.description or error.name), error.code or 500)


def open_to_all(response: Response) -> Response:
    """Let pages of every origin read an answer (CORS)."""
    response.headers.update(_CORS)
    response.headers["Cache-Control"] = "no-store"
    return response
