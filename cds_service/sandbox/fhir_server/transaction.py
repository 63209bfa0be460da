"""Loading a transaction or batch Bundle into the store (FHIR R4, RESTful API, 3.1.0.11). Knows no HTTP server.

Entries with PUT, POST and DELETE are done, and `urn:uuid` references between entries become `Type/id`.
"""

from collections.abc import Mapping

from cds_service.sandbox.fhir_server.refusals import FhirRefusal, operation_outcome
from cds_service.sandbox.fhir_server.store import FhirStore, Resource, new_id


def run_bundle(store: FhirStore, bundle: Mapping[str, object]) -> Resource:
    """Do what a transaction (all entries or none) or a batch (each on its own) asks; returns the response Bundle.

    Raises:
        FhirRefusal: 400 when the Bundle is neither, or when an entry of a transaction can't be done.
    """
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
        raise FhirRefusal(400, "invalid", "Only a Bundle of type transaction or batch can be posted to the base URL.")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FhirRefusal(400, "structure", "Bundle.entry must be a list of objects.")
    entries = [_with_id(entry) for entry in entries]
    assigned = _assigned(entries)
    if kind == "batch":
        done = [_attempt(store, entry, assigned) for entry in entries]
    else:
        with store.all_or_nothing():
            done = [_do(store, number, entry, assigned) for number, entry in enumerate(entries)]
    return {"resourceType": "Bundle", "type": f"{kind}-response"} | ({"entry": done} if done else {})


def as_updates(bundle: Mapping[str, object]) -> list[tuple[str, Resource]]:
    """The resources of a Bundle as single updates: `Type/id` and the resource, references between them resolved.

    An entry without an id gets a fresh one; deletions are left out.
    """
    entries = bundle.get("entry", [])
    held = [_with_id(entry) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    assigned = _assigned(held)
    updates = [_request(entry) for entry in held if isinstance(entry.get("request"), dict)]
    return [
        (url, resolved({**resource, "id": url.partition("/")[2]}, assigned))
        for method, url, resource in updates
        if method == "PUT"
    ]


def _assigned(entries: list[Resource]) -> dict[str, str]:
    """What each `urn:` fullUrl stands for, as `Type/id`."""
    named = [entry for entry in entries if str(entry.get("fullUrl")).startswith("urn:") and "request" in entry]
    return {str(entry["fullUrl"]): _request(entry)[1] for entry in named}


def _request(entry: Mapping[str, object]) -> tuple[str, str, Resource]:
    request, resource = entry.get("request"), entry.get("resource")
    if not isinstance(request, dict):
        raise FhirRefusal(400, "required", "every entry needs a request with method and url.")
    return str(request.get("method")), str(request.get("url", "")), resource if isinstance(resource, dict) else {}


def _with_id(entry: Resource) -> Resource:
    """The entry with a POST turned into the PUT of a fresh id, so that others can refer to it before it is stored."""
    request, resource = entry.get("request"), entry.get("resource")
    if not isinstance(request, dict) or not isinstance(resource, dict) or request.get("method") != "POST":
        return entry
    return {**entry, "request": {"method": "PUT", "url": f"{resource.get('resourceType')}/{new_id()}"}}


def _attempt(store: FhirStore, entry: Mapping[str, object], assigned: Mapping[str, str]) -> Resource:
    try:
        return _do(store, 0, entry, assigned)
    except FhirRefusal as refusal:
        outcome = operation_outcome(refusal.code, refusal.message)
        return {"response": {"status": str(refusal.status), "outcome": outcome}}


def _do(store: FhirStore, number: int, entry: Mapping[str, object], assigned: Mapping[str, str]) -> Resource:
    try:
        method, url, resource = _request(entry)
        resource_type, _, resource_id = url.partition("/")
        if method == "DELETE":
            store.delete(resource_type, resource_id)
            return {"response": {"status": "204"}}
        if method != "PUT" or resource.get("resourceType") != resource_type or not resource_id:
            raise FhirRefusal(400, "not-supported", "only PUT Type/id, POST Type and DELETE Type/id are done here.")
        stored = store.put(resolved({**resource, "id": resource_id}, assigned))
    except FhirRefusal as refusal:
        raise FhirRefusal(refusal.status, refusal.code, f"Bundle.entry[{number}]: {refusal.message}") from refusal
    return {"response": {"status": "201" if stored.created else "200", "location": url}}


def resolved(resource: Resource, assigned: Mapping[str, str]) -> Resource:
    """The resource with every `reference` that names another entry's fullUrl replaced by that entry's `Type/id`."""
    return {key: _resolve(key, value, assigned) for key, value in resource.items()}


def _resolve(key: str, value: object, assigned: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {name: _resolve(name, inner, assigned) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolve(key, inner, assigned) for inner in value]
    return assigned.get(value, value) if key == "reference" and isinstance(value, str) else value
