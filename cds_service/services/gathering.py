"""The data of one call: what the prefetch holds, and from the EHR's FHIR server what it lacks. Knows no medicine.

Only what is missing is asked for. Data that could not be had are never taken for data that do not exist: required
ones refuse the call, optional ones are named in the result.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Protocol

from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.request import AccessToken, CdsRequest
from cds_service.fhir_reading.entries import Entry, unpack
from cds_service.fhir_reading.releases import Release
from cds_service.fhir_reading.server import Fetched, fill_template, resource_type_of
from cds_service.outbound.deadline import Deadline

_NOT_SENT = "it was not sent in prefetch"
_UNREADABLE = "prefetch holds no usable resource there"
_OUTCOME = "prefetch holds an OperationOutcome there, so the client's own query failed"
_NULL = "prefetch says that there is none"
_NO_SUCH_RESOURCE = {"status-404", "status-410"}
_OBTAINABLE = {_NOT_SENT, _UNREADABLE}


@dataclass(frozen=True)
class Gathered:
    """What was gathered, by prefetch key.

    `not_available` names the optional keys that could not be had, `incomplete` those of which a part is missing;
    `fetched_ms` tells how long each key that was asked for took. `base_url` is the base of the request's FHIR server,
    without a final slash.
    """

    entries: Mapping[str, tuple[Entry, ...]]
    not_available: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    unknown_to_server: tuple[str, ...] = ()
    """The keys whose read the FHIR server answered with: there is no such resource (404, 410)."""
    fetched_ms: Mapping[str, float] = field(default_factory=dict)
    base_url: str | None = None


class OpenServer(Protocol):
    """One FHIR server during one call, already allowed."""

    def fetch(self, query: str) -> Fetched:
        """All pages of a read or search."""
        ...

    def follow(self, next_url: str, resource_type: str | None = None) -> Fetched:
        """All pages from a next link on."""
        ...

    def introduce(self) -> None:
        """Learn what the server says of itself, beside the searches; nobody waits for it."""
        ...


class FhirAccess(Protocol):
    """The FHIR servers that may be called."""

    def open(self, base_url: str, token: AccessToken | None, deadline: Deadline) -> OpenServer | None:
        """The server with this base, or None when it may not be called."""
        ...

    def release_of(self, base_url: str | None) -> Release | None:
        """The FHIR release that a server told, None where it isn't known."""
        ...


@dataclass(frozen=True)
class _Part:
    """What is known of one key: its entries, or in words why there are none."""

    entries: tuple[Entry, ...] = ()
    complete: bool = True
    missing: str | None = None
    next_url: str | None = None
    fetched_ms: float | None = None
    unknown_to_server: bool = False


def gather(
    request: CdsRequest, queries: Mapping[str, str], required: frozenset[str], fhir: FhirAccess, deadline: Deadline
) -> Gathered:
    """Gather the data of one call.

    Args:
        request: the call.
        queries: the prefetch templates by key.
        required: the keys without which the call can't be answered.
        fhir: the FHIR servers that may be called.
        deadline: when all fetching is over.

    Raises:
        DataNotAvailable: a required key was neither prefetched nor obtainable.
    """
    parts = {key: _from_prefetch(request.prefetch, key, template) for key, template in queries.items()}
    asked = {key: part for key, part in parts.items() if part.missing in _OBTAINABLE or part.next_url}
    parts |= _from_server(request, queries, asked, fhir, deadline) if asked else {}
    missing = {key: part.missing for key, part in parts.items() if part.missing}
    _refuse_without(required, missing)
    return Gathered(
        entries={key: part.entries for key, part in parts.items()},
        not_available=tuple(missing),
        incomplete=tuple(key for key, part in parts.items() if not part.missing and not part.complete),
        unknown_to_server=tuple(key for key, part in parts.items() if part.unknown_to_server),
        fetched_ms={key: part.fetched_ms for key, part in parts.items() if part.fetched_ms is not None},
        base_url=request.fhir_server.rstrip("/") if request.fhir_server else None,
    )


def _from_prefetch(prefetch: Mapping[str, object], key: str, template: str) -> _Part:
    if key not in prefetch:
        return _Part(missing=_NOT_SENT)
    unpacked = unpack(prefetch[key], resource_type_of(template))
    if unpacked.failed:
        return _Part(missing=_OUTCOME if unpacked.failure == "outcome" else _UNREADABLE)
    if not unpacked.entries and "?" not in template:
        return _Part(missing=_NULL)
    return _Part(unpacked.entries, unpacked.complete, next_url=unpacked.next_url)


def _from_server(
    request: CdsRequest, queries: Mapping[str, str], asked: Mapping[str, _Part], fhir: FhirAccess, deadline: Deadline
) -> dict[str, _Part]:
    """The parts asked for, from the request's FHIR server, all at once."""
    if not request.fhir_server:
        return {key: _not_had(part, "the request names no fhirServer") for key, part in asked.items()}
    token = request.fhir_authorization.access_token if request.fhir_authorization else None
    server = fhir.open(request.fhir_server, token, deadline)
    if server is None:
        reason = "the request's fhirServer is not one that this service may call"
        return {key: _not_had(part, reason) for key, part in asked.items()}
    values = {"context.patientId": request.context.patient_id, "context.encounterId": request.context.encounter_id}
    known = {name: value for name, value in values.items() if value}
    tasks = {key: _task(server, part, queries[key], known) for key, part in asked.items()}
    return {
        key: _joined(asked[key], fetched, milliseconds)
        for key, (fetched, milliseconds) in _all_at_once(tasks, server.introduce, deadline).items()
    }


def _task(server: OpenServer, part: _Part, template: str, values: Mapping[str, str]) -> Callable[[], Fetched]:
    if part.next_url is not None:
        next_url = part.next_url
        return lambda: server.follow(next_url, resource_type_of(template))
    try:
        query = fill_template(template, values)
    except ValueError:
        return lambda: Fetched(complete=False, failed=True, reason="no-usable-id")
    return lambda: server.fetch(query)


def _all_at_once(
    tasks: Mapping[str, Callable[[], Fetched]], beside: Callable[[], None], deadline: Deadline
) -> dict[str, tuple[Fetched, float]]:
    """Each task's result and its milliseconds; what is not done by the deadline counts as failed and is let go.

    `beside` runs with them and is not waited for.
    """
    started = deadline.clock()

    def timed(task: Callable[[], Fetched]) -> tuple[Fetched, float]:
        return task(), _milliseconds_since(started, deadline)

    threads = ThreadPoolExecutor(max_workers=len(tasks) + 1, thread_name_prefix="gathering")
    futures = {key: threads.submit(timed, task) for key, task in tasks.items()}
    threads.submit(beside)
    wait(futures.values(), timeout=deadline.remaining())
    threads.shutdown(wait=False, cancel_futures=True)
    late = Fetched(complete=False, failed=True, reason="timeout")
    return {
        key: future.result() if future.done() else (late, _milliseconds_since(started, deadline))
        for key, future in futures.items()
    }


def _milliseconds_since(started: float, deadline: Deadline) -> float:
    return round((deadline.clock() - started) * 1000, 1)


def _joined(part: _Part, fetched: Fetched, milliseconds: float) -> _Part:
    """What prefetch gave, with what the server added."""
    if fetched.failed:
        unknown = fetched.reason in _NO_SUCH_RESOURCE
        return replace(_not_had(part, _in_words(fetched.reason)), fetched_ms=milliseconds, unknown_to_server=unknown)
    complete = part.complete and fetched.complete
    return _Part(part.entries + fetched.entries, complete, fetched_ms=milliseconds)


def _not_had(part: _Part, reason: str) -> _Part:
    """A part that the server did not give: missing, or cut short when prefetch holds its first page."""
    if part.missing is None:
        return replace(part, complete=False)
    return replace(part, missing=f"{part.missing}, and {reason}")


def _in_words(reason: str) -> str:
    """A reason code for the caller's developer; nothing of what the server said."""
    match reason:
        case "timeout":
            return "the FHIR server did not answer in time"
        case "status-401" | "status-403":
            return "the FHIR server refused access; check the token's scope"
        case "no-usable-id":
            return "the context has no usable patientId to ask the FHIR server with"
        case _:
            return f"the FHIR server gave no usable answer ({reason})"


def _refuse_without(required: frozenset[str], missing: Mapping[str, str]) -> None:
    lacking = tuple(key for key in missing if key in required)
    if not lacking:
        return
    told = "; ".join(f"{key}: {missing[key]}" for key in lacking)
    raise DataNotAvailable(
        f"Needed data could not be had ({told}). Send {', '.join(lacking)} in prefetch as advertised, or give "
        "fhirServer and fhirAuthorization for a FHIR server that this service may call.",
        missing=lacking,
    )
