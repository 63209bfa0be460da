"""What a prefetch key says (CDS Hooks 3.0, Prefetch). Knows no medicine and no FHIR library."""

from collections.abc import Mapping
from enum import Enum

from cds_service.cds_hooks.request import CdsRequest


class PrefetchState(Enum):
    """What the client says with one key.

    ABSENT: not tried or not provided; also a value that is no resource. The service fetches it itself, else 412.
    NULL: the client has no such data; the query is satisfied.
    FAILED: the client's query failed (an OperationOutcome alone). Never to be read as "no findings".
    GIVEN: a resource or a searchset, page 1 at least.
    """

    ABSENT = "absent"
    NULL = "null"
    FAILED = "failed"
    GIVEN = "given"


def prefetch_state(request: CdsRequest, key: str) -> PrefetchState:
    """What the request says with this key."""
    if key not in request.prefetch:
        return PrefetchState.ABSENT
    value = request.prefetch[key]
    if value is None:
        return PrefetchState.NULL
    if not isinstance(value, Mapping) or not isinstance(value.get("resourceType"), str):
        return PrefetchState.ABSENT
    return PrefetchState.FAILED if value["resourceType"] == "OperationOutcome" else PrefetchState.GIVEN


def prefetched_resource(request: CdsRequest, key: str) -> Mapping[str, object] | None:
    """The resource or Bundle under this key; None unless the state is GIVEN."""
    if prefetch_state(request, key) is not PrefetchState.GIVEN:
        return None
    value = request.prefetch[key]
    return value if isinstance(value, Mapping) else None
