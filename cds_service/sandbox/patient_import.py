"""Any patient's Bundle taken into the sandbox: a transaction, a collection, a search's answer. Knows no page."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import orjson

from cds_service.sandbox.date_shift import shift_dates
from cds_service.sandbox.fhir_server.refusals import FhirRefusal
from cds_service.sandbox.fhir_server.store import FhirStore, new_id
from cds_service.sandbox.fhir_server.transaction import run_bundle

MAX_BYTES = 32 * 2**20
_RESULTS = ("effectiveDateTime", "issued")


class ImportRefused(Exception):
    """A file that can't be taken in; the message says why."""


def import_bundle(store: FhirStore, data: bytes, newest_on: date | None = None) -> list[str]:
    """Put a Bundle's resources in the store, all or none; the ids of its patients.

    Args:
        store: where to.
        data: the file.
        newest_on: move all dates so that the newest result is of this day; None leaves them.

    Raises:
        ImportRefused: no JSON, no Bundle, no patient in it, or a resource that can't be stored.
    """
    entries = [_as_update(entry) for entry in _entries(data)]
    resources = [entry["resource"] for entry in entries]
    days = _days(resources, newest_on)
    moved = [entry | {"resource": shift_dates(entry["resource"], days)} for entry in entries]
    patients = [entry["request"]["url"].partition("/")[2] for entry in moved if _type(entry) == "Patient"]
    if not patients:
        raise ImportRefused("There is no Patient in this Bundle.")
    try:
        run_bundle(store, {"resourceType": "Bundle", "type": "transaction", "entry": moved})
    except FhirRefusal as refusal:
        raise ImportRefused(f"The Bundle can’t be stored: {refusal.message}") from refusal
    return patients


def _entries(data: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        bundle = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ImportRefused("The file isn’t JSON.") from error
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise ImportRefused("The file is no FHIR Bundle.")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ImportRefused("Bundle.entry must be a list of objects.")
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict) and (resource.get("resourceType") != "OperationOutcome"):
            yield entry


def _as_update(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry as the update of its resource under its own id, so that importing it again replaces it."""
    resource = entry["resource"]
    url = f"{resource.get('resourceType')}/{resource.get('id') or new_id()}"
    return {"fullUrl": entry.get("fullUrl"), "resource": resource, "request": {"method": "PUT", "url": url}}


def _days(resources: list[Mapping[str, Any]], newest_on: date | None) -> int:
    told = [str(one.get(name, ""))[:10] for one in resources for name in _RESULTS if _is_result(one)]
    days = [day for day in map(_day, told) if day is not None]
    return (newest_on - max(days)).days if newest_on and days else 0


def _is_result(resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") == "Observation"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _type(entry: Mapping[str, Any]) -> str:
    return str(entry["resource"].get("resourceType"))
