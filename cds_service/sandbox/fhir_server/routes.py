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


def create_fhir_blueprint(store: FhirStore, name: str = "sandbox_fhir") -> Blueprint:
    """The FHIR R4 RESTful API over a store; mount it with `url_prefix`. Every answer is application/fhir+json."""
    blueprint, pages = Blueprint(name, __name__), Pages(store)
    started = datetime.now(UTC).isoformat(timespec="seconds")

    def base() -> str:
        return url_for(f"{name}.bundle", _external=True).rstrip("/")

    @blueprint.get("/metadata")
    def metadata() -> Response:
        return _json(capability_statement(base(), started))

    @blueprint.post("/", strict_slashes=False)
    def bundle() -> Response:
        return _json(run_bundle(store, _body()))

    @blueprint.get("/<resource_type>")
    def find(resource_type: str) -> Response:
        token = request.args.get("_page")
        if token is not None:
            return _json(pages.later(resource_type, token, request.args.get("_from", ""), base()))
        return _search(resource_type)

    @blueprint.post("/<resource_type>/_search")
    def find_by_post(resource_type: str) -> Response:
        return _search(resource_type)

    def _search(resource_type: str) -> Response:
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "")
        found = search(store, resource_type, pairs, base(), strict)
        return _json(pages.first(resource_type, found, base()))

    @blueprint.post("/<resource_type>")
    def create(resource_type: str) -> Response:
        return _stored(store.create(_body(resource_type)), base())

    @blueprint.get("/<resource_type>/<resource_id>")
    def read(resource_type: str, resource_id: str) -> Response:
        return _json(store.read(resource_type, resource_id))

    @blueprint.put("/<resource_type>/<resource_id>")
    def update(resource_type: str, resource_id: str) -> Response:
        resource = _body(resource_type)
        if resource.get("id") != resource_id:
            raise FhirRefusal(400, "invalid", "The resource's id must be the id in the URL.")
        return _stored(store.put(resource), base())

    @blueprint.delete("/<resource_type>/<resource_id>")
    def delete(resource_type: str, resource_id: str) -> Response:
        store.delete(resource_type, resource_id)
        return Response(status=204)

    blueprint.register_error_handler(FhirRefusal, _refused)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.after_request(_open_to_all)
    return blueprint


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


def _stored(stored: Stored, base: str) -> Response:
    response = _json(stored.resource, 201 if stored.created else 200)
    response.headers["Location"] = f"{base}/{stored.resource['resourceType']}/{stored.resource['id']}"
    return response


def _refused(refusal: FhirRefusal) -> Response:
    return _json(operation_outcome(refusal.code, refusal.message), refusal.status)


def _http_error(error: HTTPException) -> Response:
    response = _json(operation_outcome("processing", error.description or error.name), error.code or 500)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _open_to_all(response: Response) -> Response:
    response.headers.update(_CORS)
    response.headers["Cache-Control"] = "no-store"
    return response
