"""Searchset Bundles, page by page. A search is kept as the ids it found, so that no page repeats or loses one."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from cds_service.sandbox.fhir_server.refusals import FhirRefusal
from cds_service.sandbox.fhir_server.search import Found
from cds_service.sandbox.fhir_server.store import FhirStore, Resource

DEFAULT_COUNT = 50
MOST_PER_PAGE = 500
_SEARCHES_KEPT = 256


@dataclass(frozen=True)
class _Search:
    resource_type: str
    ids: tuple[str, ...]
    used: tuple[tuple[str, str], ...]
    size: int


class Pages:
    """The latest searches, by an opaque token that `next` links carry. Safe for threads."""

    def __init__(self, store: FhirStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._searches: OrderedDict[str, _Search] = OrderedDict()

    def first(self, resource_type: str, found: Found, base: str) -> Resource:
        """The first page of a fresh search, or only its total."""
        if found.only_total:
            links = [{"relation": "self", "url": _url(base, resource_type, found.used)}]
            return {"resourceType": "Bundle", "type": "searchset", "total": len(found.matches), "link": links}
        ids = tuple(str(resource["id"]) for resource in found.matches)
        size = min(DEFAULT_COUNT if found.count is None else found.count, MOST_PER_PAGE)
        search, token = _Search(resource_type, ids, found.used, size), secrets.token_urlsafe(9)
        with self._lock:
            self._searches[token] = search
            while len(self._searches) > _SEARCHES_KEPT:
                self._searches.popitem(last=False)
        return self._page(token, search, 0, base)

    def later(self, resource_type: str, token: str, start: str, base: str) -> Resource:
        """A further page, as asked for by a `next` link.

        Raises:
            FhirRefusal: 410 when the search is no longer kept.
        """
        with self._lock:
            search = self._searches.get(token)
        if search is None or search.resource_type != resource_type or not start.isdecimal():
            raise FhirRefusal(410, "not-found", "This page is no longer kept; please search again.")
        return self._page(token, search, int(start), base)

    def _page(self, token: str, search: _Search, start: int, base: str) -> Resource:
        end = start + search.size
        links = [{"relation": "self", "url": _url(base, search.resource_type, search.used)}]
        if end < len(search.ids):
            following = (("_page", token), ("_from", str(end)))
            links.append({"relation": "next", "url": _url(base, search.resource_type, following)})
        held = [self._store.find(search.resource_type, resource_id) for resource_id in search.ids[start:end]]
        entries = [_entry(resource, base) for resource in held if resource is not None]
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(search.ids), "link": links}
        return bundle | ({"entry": entries} if entries else {})


def _url(base: str, resource_type: str, pairs: Sequence[tuple[str, str]]) -> str:
    query = urlencode(pairs, safe=",|:/")
    return f"{base}/{resource_type}" + (f"?{query}" if query else "")


def _entry(resource: Resource, base: str) -> Resource:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": "match"}}
