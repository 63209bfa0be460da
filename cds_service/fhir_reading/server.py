"""Reads and searches of one FHIR server. Knows FHIR's RESTful shapes, no HTTP library, no clock and no prefetch.

The calls go through a protocol (`Http`), whose implementation keeps every URL within the server's base, sends the
token and holds the deadline; whatever it can't do, it raises as OSError whose text is a reason code.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote, urljoin, urlsplit

from cds_service.call_phases import Phase
from cds_service.fhir_reading.entries import FAILED, UNREADABLE, Entry, Unpacked, falls_short, unpack
from cds_service.fhir_reading.outcomes import outcome_of

ACCEPT = "application/fhir+json"
MAX_PAGES = 20
MAX_QUERIES = 12
MAX_URL_LENGTH = 4000

_JSON_TYPES = {"application/fhir+json", "application/json", "application/json+fhir", "text/json"}
_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_QUERY = re.compile(r"(?P<type>[A-Z][A-Za-z]+)(/(?P<id>[A-Za-z0-9.-]{1,64})|\?(?P<search>.+))")
_PLAIN_IN_VALUE = ":,-._~$"
"""A slash is legal there, but not plain: gateways that tidy `//` away would ask for codes of `http:/loinc.org`."""


class HttpAnswer(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def media_type(self) -> str:
        """In lower case, without parameters; empty when not told."""
        ...

    @property
    def body(self) -> bytes:
        """As sent."""
        ...


class Http(Protocol):
    """Calls to one server, at or below its base URL."""

    @property
    def base(self) -> str:
        """The base URL, without a final slash."""
        ...

    def get(self, url: str, accept: str) -> HttpAnswer:
        """GET; raises OSError when there is no answer."""
        ...

    def post_form(self, url: str, form: str, accept: str) -> HttpAnswer:
        """POST an encoded form; raises OSError when there is no answer."""
        ...


@dataclass(frozen=True)
class Fetched:
    """All pages of one query. `complete` is false when a page or a match is missing; `failed` when nothing came.

    `reason` is a code for it: what the calls raised, `status-N`, `outcome`, `unreadable`, `not-fhir-json`.
    """

    entries: tuple[Entry, ...] = ()
    complete: bool = True
    failed: bool = False
    reason: str = ""


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """A prefetch template with its tokens (`{{context.patientId}}`) replaced, percent-encoded for a URL.

    Raises:
        ValueError: a token without a value, a value that is no FHIR id, or a result that is no read or search.
    """

    def value_of(token: re.Match[str]) -> str:
        value = values.get(token[1], "")
        if not _ID.fullmatch(value):
            raise ValueError(f"no usable value for the token {token[1]}")
        return value

    filled = _TOKEN.sub(value_of, template)
    query = _QUERY.fullmatch(filled)
    if query is None:
        raise ValueError("a template is an instance read or a type-level search")
    if query["search"] is None:
        return filled
    pairs = (pair.partition("=") for pair in query["search"].split("&"))
    return f"{query['type']}?" + "&".join(f"{_encode(name)}={_encode(value)}" for name, _, value in pairs)


def resource_type_of(query: str) -> str:
    """The resource type that a read or search (or its template) asks for."""
    return re.split(r"[/?]", query, maxsplit=1)[0]


def _encode(text: str) -> str:
    return quote(unquote(text), safe=_PLAIN_IN_VALUE)


class FhirServer:
    """One FHIR server during one call of the service. Used by several threads at once."""

    def __init__(self, http: Http, decode: Callable[[bytes], object]) -> None:
        """`decode` reads JSON keeping every number exact, and raises ValueError."""
        self._http = http
        self._host = urlsplit(http.base).hostname or ""
        self._decode = decode
        self._queries_left = MAX_QUERIES
        self._lock = threading.Lock()

    def fetch(self, query: str, pages: int = MAX_PAGES) -> Fetched:
        """What a read or search (relative to the base, percent-encoded) gives, page by page, at most so many."""
        with self._lock:
            self._queries_left -= 1
            if self._queries_left < 0:
                return _nothing("too-many-queries")
        url = f"{self._http.base}/{query}"
        resource_type = resource_type_of(query)
        ask = self._post_search if "?" in query and len(url) > MAX_URL_LENGTH else self._get
        page, reason = self._page(url, ask, resource_type)
        if page.failed:
            return _nothing(reason)
        if "?" not in query and not page.entries:
            return _nothing("unreadable")
        return self._with_later_pages(page, resource_type, {url}, pages)

    def capabilities(self) -> Fetched:
        """The server's CapabilityStatement; one request more than those that a call may make."""
        page, reason = self._page(f"{self._http.base}/metadata", self._get, "CapabilityStatement")
        return _nothing(reason) if page.failed else Fetched(page.entries)

    def follow(self, page: Unpacked, resource_type: str | None = None) -> Fetched:
        """A page that is had already, and those that follow it."""
        return self._with_later_pages(page, resource_type, set(), MAX_PAGES)

    def _with_later_pages(self, page: Unpacked, resource_type: str | None, seen: set[str], pages: int) -> Fetched:
        entries, complete, total, had = list(page.entries), page.complete, page.total, 1
        while page.next_url is not None:
            url = self._absolute(page.next_url)
            if url in seen or had == pages:
                complete = False
                break
            seen.add(url)
            had += 1
            page, _ = self._page(url, self._get, resource_type)
            entries += page.entries
            complete, total = complete and page.complete, max(total, page.total)
        return Fetched(tuple(entries), complete and not falls_short(entries, total, resource_type))

    def _page(self, url: str, ask: Callable[[str], HttpAnswer], resource_type: str | None) -> tuple[Unpacked, str]:
        """One page; when it failed, with the reason."""
        with Phase("fetching", self._host, resource_type or "") as asked:
            page, reason = self._asked_page(url, ask, resource_type)
            asked.outcome = outcome_of(reason)
        return page, reason

    def _asked_page(
        self, url: str, ask: Callable[[str], HttpAnswer], resource_type: str | None
    ) -> tuple[Unpacked, str]:
        try:
            answer = ask(url)
            if answer.status != 200:
                return FAILED, f"status-{answer.status}"
            if answer.media_type not in _JSON_TYPES:
                return UNREADABLE, "not-fhir-json"
            document = self._decode(answer.body)
        except OSError as error:
            return FAILED, str(error)
        except ValueError:
            return UNREADABLE, "not-fhir-json"
        page = UNREADABLE if document is None else unpack(document, resource_type)
        return page, page.failure or ""

    def _get(self, url: str) -> HttpAnswer:
        return self._http.get(url, ACCEPT)

    def _post_search(self, url: str) -> HttpAnswer:
        path, _, form = url.partition("?")
        return self._http.post_form(f"{path}/_search", form, ACCEPT)

    def _absolute(self, url: str) -> str:
        """A next link should be absolute; some servers write it relative to their base."""
        try:
            return urljoin(f"{self._http.base}/", url)
        except ValueError:
            return url


def _nothing(reason: str) -> Fetched:
    return Fetched(complete=False, failed=True, reason=reason)
