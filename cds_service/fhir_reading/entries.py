"""What a prefetch key or a search holds, taken apart into entries. Pure; knows no resource's meaning and no network.

An error is never an empty answer: an OperationOutcome, a wrong resource or nonsense is told apart from "no matches".
Two entries of one id are both given: the reader decides between them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cds_service.fhir_reading.projection import text_at

Failure = Literal["outcome", "unreadable"]

# Tuples, not sets: what they are asked for may be any JSON, and a list can't be looked up in a set.
_ERRORS = ("error", "fatal")
_REMARKS = ("warning", "information", "success")
_RESPONSES = ("batch-response", "transaction-response")
# What a query for one type may be answered with besides that type: other resources that carry or replace it.
_ALSO = {
    "Observation": {"DiagnosticReport"},
    "MedicationRequest": {"MedicationStatement", "MedicationAdministration"},
}


@dataclass(frozen=True)
class Entry:
    """One resource, and the fullUrl that its Bundle gave it; `included` beside the matches, not one of them.

    `likeness` is told where others of its Bundle are spelled like it (see `alike`).
    """

    resource: Mapping[str, object]
    full_url: str | None = None
    included: bool = False
    likeness: object | None = field(default=None, compare=False)

    @property
    def resource_type(self) -> str | None:
        """The type, as far as one is told."""
        name = self.resource.get("resourceType")
        return name if isinstance(name, str) else None

    @property
    def resource_id(self) -> str | None:
        """The id, stripped; None where there is none."""
        return text_at(self.resource, "id")


@dataclass(frozen=True)
class Unpacked:
    """The entries of one document.

    `failure` says why nothing was obtained: `outcome` (the query failed where it was made; asking again is thought
    needless) or `unreadable` (not what was asked for; as good as not sent). `complete` is false when a part failed
    beside matches; `next_url` is the page that follows; `total` how many matches all pages are said to hold.
    """

    entries: tuple[Entry, ...] = ()
    next_url: str | None = None
    failure: Failure | None = None
    complete: bool = True
    total: int = 0

    @property
    def failed(self) -> bool:
        """Whether the document gave no answer at all, which is not the same as no matches."""
        return self.failure is not None


UNREADABLE = Unpacked(failure="unreadable", complete=False)
FAILED = Unpacked(failure="outcome", complete=False)


def unpack(document: object, resource_type: str | None = None) -> Unpacked:
    """Take apart a Bundle of any type, a bare resource, or null (no such data).

    Args:
        document: decoded JSON.
        resource_type: what the query asks for; a document of other resources only is then unreadable.
    """
    if document is None:
        return Unpacked()
    if not isinstance(document, Mapping):
        return UNREADABLE
    match document.get("resourceType"):
        case "OperationOutcome":
            return FAILED
        case "Bundle":
            unpacked = _unpack_bundle(document)
        case str() as name if name:
            unpacked = Unpacked((Entry(document),))
        case _:
            return UNREADABLE
    return unpacked if _answers(unpacked, resource_type) else UNREADABLE


def falls_short(entries: Iterable[Entry], total: int, resource_type: str | None) -> bool:
    """Whether a search is said to have more matches than these; one that is repeated is one."""
    expected = _expected(resource_type)
    found: set[object] = set()
    for number, entry in enumerate(entries):
        kind, resource_id = entry.resource.get("resourceType"), entry.resource.get("id")
        if not entry.included and (expected is None or kind in expected):
            found.add((kind, resource_id) if isinstance(resource_id, str) else number)
    return len(found) < total


def _expected(resource_type: str | None) -> set[str] | None:
    return None if resource_type is None else {resource_type} | _ALSO.get(resource_type, set())


def _answers(unpacked: Unpacked, resource_type: str | None) -> bool:
    expected = _expected(resource_type)
    matches = [entry for entry in unpacked.entries if not entry.included]
    if expected is None or not matches:
        return True
    return any(entry.resource_type in expected for entry in matches)


def _unpack_bundle(bundle: Mapping[str, object]) -> Unpacked:
    """The entries of a Bundle in one pass; beside them what failed, and the searchsets that answer a batch.

    Of a Bundle decoded in part some are entries already.
    """
    raw = bundle.get("entry")
    if raw is not None and not isinstance(raw, list):
        return UNREADABLE
    is_response = bundle.get("type") in _RESPONSES
    members: list[Any] = [member for member in raw or [] if isinstance(member, dict | Entry)]
    entries: list[Entry] = []
    others: list[Unpacked] = []
    for member in members:
        if isinstance(member, Entry):
            entries.append(member)
            continue
        resource: Any = member.get("resource")
        name = resource.get("resourceType") if isinstance(resource, dict) else None
        if isinstance(name, str) and name != "OperationOutcome" and not (is_response and name == "Bundle"):
            entries.append(entry_of(member, resource))
        elif (other := _other(member, resource, is_response)) is not None:
            others.append(other)
            entries += other.entries
    failures = [one.failure for one in others if one.failure]
    hollow = bool(raw) and not entries and not others and not any(map(_is_outcome, members))
    if not entries and (failures or hollow or _claims_matches(bundle, members)):
        return FAILED if "outcome" in failures else UNREADABLE
    next_urls = [url for url in (_next_url(bundle), *(one.next_url for one in others)) if url]
    complete = not failures and len(next_urls) <= 1 and all(one.complete for one in others)
    total = _total(bundle) or sum(one.total for one in others)
    return Unpacked(tuple(entries), next_urls[0] if next_urls else None, None, complete, total)


def _other(member: Mapping[str, object], resource: object, is_response: bool) -> Unpacked | None:
    """What a member is that is no entry; the answer to a batch may hold whole searchsets."""
    if not isinstance(resource, dict):
        return FAILED if is_response and _response_failed(member) else None
    if _is_outcome(member):
        return FAILED if _tells_error(resource) else None
    if resource.get("resourceType") == "Bundle":
        return _unpack_bundle({**resource, "type": "searchset"})
    return None


def entry_of(member: Mapping[str, object], resource: Mapping[str, object]) -> Entry:
    """A member of a Bundle with its resource as an entry."""
    full_url, search = member.get("fullUrl"), member.get("search")
    included = isinstance(search, dict) and search.get("mode") == "include"
    return Entry(resource, full_url if isinstance(full_url, str) and full_url else None, included)


def _is_outcome(member: Mapping[str, object]) -> bool:
    resource = member.get("resource")
    return isinstance(resource, Mapping) and resource.get("resourceType") == "OperationOutcome"


def _tells_error(outcome: Mapping[str, object]) -> bool:
    """Whether an OperationOutcome holds more than remarks (servers remark "no results" as a warning)."""
    issues = outcome.get("issue")
    if not isinstance(issues, list) or not issues:
        return True
    severities = [issue.get("severity") if isinstance(issue, Mapping) else None for issue in issues]
    return any(severity in _ERRORS or severity not in _REMARKS for severity in severities)


def _response_failed(member: Mapping[str, object]) -> bool:
    response = member.get("response")
    status = response.get("status") if isinstance(response, Mapping) else None
    return not (isinstance(status, str) and status.startswith("2"))


def _claims_matches(bundle: Mapping[str, object], members: Sequence[object]) -> bool:
    """Whether a Bundle says that there are matches but gives none, nor a page to find them on."""
    return _total(bundle) > 0 and not members and _next_url(bundle) is None


def _total(bundle: Mapping[str, object]) -> int:
    total = bundle.get("total")
    return total if isinstance(total, int) else 0


def _next_url(bundle: Mapping[str, object]) -> str | None:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("relation") == "next":
            url = link.get("url")
            return url if isinstance(url, str) and url else None
    return None
