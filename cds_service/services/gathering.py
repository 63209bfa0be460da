"""The data of one call: what the prefetch holds, and from the EHR's FHIR server what it lacks. Knows no medicine.

Only what is missing is asked for. Data that could not be had are never taken for data that do not exist: required
ones refuse the call, optional ones are named in the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.request import AccessToken, CdsRequest
from cds_service.fhir_reading.entries import Entry, Unpacked, unpack
from cds_service.fhir_reading.outcomes import outcome_of
from cds_service.fhir_reading.releases import Release
from cds_service.fhir_reading.server import fill_template, resource_type_of
from cds_service.fhir_reading.subjects import answers_for_patient
from cds_service.outbound.deadline import Deadline
from cds_service.services.fetching import OpenServer, Wanted, fetch_all
from cds_service.services.side_by_side import Timed


class _Lack(NamedTuple):
    """Why there is nothing: a class for log and counts, and words for the caller's developer."""

    cause: str
    words: str


_NOT_SENT = _Lack("not-sent", "it was not sent in prefetch")
_UNREADABLE = _Lack("prefetch-unusable", "prefetch holds no usable resource there")
_OUTCOME = _Lack("prefetch-failed", "prefetch holds an OperationOutcome there, so the client's own query failed")
_NULL = _Lack("prefetch-null", "prefetch says that there is none")
_NO_SERVER = _Lack("no-server", "the request names no fhirServer")
_NOT_ALLOWED = _Lack("server-not-allowed", "the request's fhirServer is not one that this service may call")
_NO_PATIENT_ID = _Lack("no-patient-id", "the context has no usable patientId to ask the FHIR server with")
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
    """What is known of one key: its entries, or why there are none.

    `first_page` is what prefetch holds of a search whose other pages are on the server.
    """

    entries: tuple[Entry, ...] = ()
    complete: bool = True
    missing: _Lack | None = None
    first_page: Unpacked | None = None
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
    asked = {key: part for key, part in parts.items() if part.missing in _OBTAINABLE or part.first_page}
    if asked:
        wanted = {key: Wanted(queries[key], part.first_page, key in required) for key, part in asked.items()}
        parts |= _from_server(request, asked, wanted, fhir, deadline)
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
    if unpacked.next_url:
        return _Part(unpacked.entries, complete=False, first_page=unpacked)
    return _Part(unpacked.entries, unpacked.complete)


def _from_server(
    request: CdsRequest,
    asked: Mapping[str, _Part],
    wanted: Mapping[str, Wanted],
    fhir: FhirAccess,
    deadline: Deadline,
) -> dict[str, _Part]:
    """The parts asked for, from the request's FHIR server."""
    if not request.fhir_server:
        return {key: _not_had(part, _NO_SERVER) for key, part in asked.items()}
    token = request.fhir_authorization.access_token if request.fhir_authorization else None
    server = fhir.open(request.fhir_server, token, deadline)
    if server is None:
        return {key: _not_had(part, _NOT_ALLOWED) for key, part in asked.items()}
    try:
        filled = {key: _filled(one, request) for key, one in wanted.items()}
    except ValueError:
        return {key: _not_had(part, _NO_PATIENT_ID) for key, part in asked.items()}
    timed = fetch_all(server, filled, deadline)
    return {key: _joined(part, timed[key], filled[key].query, request) for key, part in asked.items()}


def _filled(wanted: Wanted, request: CdsRequest) -> Wanted:
    values = {"context.patientId": request.context.patient_id, "context.encounterId": request.context.encounter_id}
    known = {name: value for name, value in values.items() if value}
    return replace(wanted, query=fill_template(wanted.query, known))


def _joined(part: _Part, timed: Timed, query: str, request: CdsRequest) -> _Part:
    """What prefetch gave, with what the server added."""
    fetched = timed.fetched
    if fetched.failed:
        unknown = fetched.reason in _NO_SUCH_RESOURCE
        part = _not_had(part, _Lack(outcome_of(fetched.reason).value, _in_words(fetched.reason)))
        return replace(part, fetched_ms=timed.milliseconds, unknown_to_server=unknown)
    ours = "?" not in query or answers_for_patient(fetched.entries, request.context.patient_id, request.fhir_server)
    return _Part(fetched.entries, fetched.complete and ours, fetched_ms=timed.milliseconds)


def _not_had(part: _Part, lack: _Lack) -> _Part:
    """A part that the server did not give: missing, or cut short when prefetch holds its first page."""
    if part.missing is None:
        return replace(part, complete=False)
    return replace(part, missing=_Lack(lack.cause, f"{part.missing.words}, and {lack.words}"))


def _in_words(reason: str) -> str:
    """A reason code for the caller's developer; nothing of what the server said."""
    match reason:
        case "timeout":
            return "the FHIR server did not answer in time"
        case "status-401" | "status-403":
            return "the FHIR server refused access; check the token's scope"
        case _:
            return f"the FHIR server gave no usable answer ({reason})"


def _refuse_without(required: frozenset[str], missing: Mapping[str, _Lack]) -> None:
    lacking = tuple(key for key in missing if key in required)
    if not lacking:
        return
    told = "; ".join(f"{key}: {missing[key].words}" for key in lacking)
    raise DataNotAvailable(
        f"Needed data could not be had ({told}). Send {', '.join(lacking)} in prefetch as advertised, or give "
        "fhirServer and fhirAuthorization for a FHIR server that this service may call.",
        missing=lacking,
        reason=missing[lacking[0]].cause,
    )
