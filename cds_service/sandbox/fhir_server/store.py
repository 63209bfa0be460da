"""The resources held in memory, by type and id, with their versions. Knows no HTTP and no search."""

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from cds_service.sandbox.fhir_server.refusals import FhirRefusal

Resource = dict[str, object]

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True)
class Stored:
    """A resource as the server holds it, and whether this write created it."""

    resource: Resource
    created: bool


class FhirStore:
    """Resources in memory. Safe for threads; `clock` stamps `meta.lastUpdated`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._by_type: dict[str, dict[str, Resource]] = {}

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """One resource.

        Raises:
            FhirRefusal: 404 when there is none.
        """
        with self._lock:
            found = self._by_type.get(resource_type, {}).get(resource_id)
        if found is None:
            raise FhirRefusal(404, "not-found", f"There is no {resource_type} with this id here.")
        return found

    def find(self, resource_type: str, resource_id: str) -> Resource | None:
        """One resource, or None."""
        with self._lock:
            return self._by_type.get(resource_type, {}).get(resource_id)

    def all(self, resource_type: str) -> tuple[Resource, ...]:
        """Every resource of a type, in no promised order."""
        with self._lock:
            return tuple(self._by_type.get(resource_type, {}).values())

    def types(self) -> tuple[str, ...]:
        """The resource types of which anything was ever stored."""
        with self._lock:
            return tuple(self._by_type)

    def put(self, resource: Mapping[str, object]) -> Stored:
        """Create or replace the resource under its own type and id; an earlier version is forgotten.

        Raises:
            FhirRefusal: 400 when resourceType or id isn't usable.
        """
        resource_type, resource_id = str(resource.get("resourceType", "")), str(resource.get("id", ""))
        if not _TYPE.fullmatch(resource_type):
            raise FhirRefusal(400, "required", "A resource needs its resourceType.")
        if not _ID.fullmatch(resource_id):
            raise FhirRefusal(400, "invalid", f"{resource_type}.id must be 1 to 64 of: letters, digits, '-' and '.'.")
        with self._lock:
            shelf = self._by_type.setdefault(resource_type, {})
            before = shelf.get(resource_id)
            stored = {**resource, "meta": self._meta(resource.get("meta"), before)}
            shelf[resource_id] = stored
        return Stored(stored, created=before is None)

    def create(self, resource: Mapping[str, object]) -> Stored:
        """Store a resource under a new id."""
        return self.put({**resource, "id": new_id()})

    def delete(self, resource_type: str, resource_id: str) -> None:
        """Forget a resource; forgetting one that isn't there is fine, as in FHIR."""
        with self._lock:
            self._by_type.get(resource_type, {}).pop(resource_id, None)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo every write made inside the block when it ends with an error."""
        with self._lock:
            before = {resource_type: dict(shelf) for resource_type, shelf in self._by_type.items()}
            try:
                yield
            except BaseException:
                self._by_type = before
                raise

    def _meta(self, given: object, before: Resource | None) -> Resource:
        earlier = before.get("meta") if before else None
        version = int(str(earlier.get("versionId", "0"))) + 1 if isinstance(earlier, dict) else 1
        stamp = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {**(given if isinstance(given, dict) else {}), "versionId": str(version), "lastUpdated": stamp}


def new_id() -> str:
    """A fresh logical id."""
    return str(uuid.uuid4())
