"""A request body to a frozen `CdsRequest`, or a refusal that names the member (CDS Hooks 3.0, HTTP Request).

Knows no medicine, no FHIR library, no Flask. Unknown members and extensions are passed over, so that clients of
any version of the specification are served.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from cds_service.cds_hooks.contexts import read_patient_view
from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.fhir_access import read_fhir_authorization
from cds_service.cds_hooks.members import (
    Members,
    optional_object,
    optional_string,
    required_object,
    required_string,
    required_uuid,
)
from cds_service.cds_hooks.request import CdsRequest, PatientViewContext
from cds_service.cds_hooks.strict_json import decode_call

CONTEXTS: Mapping[str, Callable[[Members], PatientViewContext]] = {"patient-view": read_patient_view}
"""How the context of each hook is read; a service can be listed for these hooks."""

_MAX_URL_LENGTH = 2048


def parse_request(body: bytes, hook: str) -> CdsRequest:
    """Read one call.

    Args:
        body: the bytes as received.
        hook: the hook the called service is listed for.

    Raises:
        RequestInvalid: the body isn't strict JSON or breaks the specification.
    """
    members = decode_call(body)
    if required_string(members, "hook", "hook") != hook:
        raise RequestInvalid(f"'hook' must be '{hook}', the hook this service is listed for in discovery.")
    hook_instance = required_uuid(members, "hookInstance", "hookInstance")
    context = CONTEXTS[hook](required_object(members, "context", "context"))
    return CdsRequest(
        hook=hook,
        hook_instance=hook_instance,
        context=context,
        fhir_server=_read_fhir_server(members),
        fhir_authorization=read_fhir_authorization(members, context.patient_id),
        prefetch=optional_object(members, "prefetch", "prefetch") or {},
    )


def _read_fhir_server(members: Members) -> str | None:
    url = optional_string(members, "fhirServer", "fhirServer")
    if url is None:
        return None
    if not _is_base_url(url):
        raise RequestInvalid("'fhirServer' must be the http(s) base URL of a FHIR server, without query or fragment.")
    return url.rstrip("/")


def _is_base_url(url: str) -> bool:
    if len(url) > _MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}?#'):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError for a port that is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
