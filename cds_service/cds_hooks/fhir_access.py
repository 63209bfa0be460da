"""What lets the service read the EHR's FHIR server (CDS Hooks 3.0, FHIR Resource Access). Calls nobody.

Read tolerantly: a service whose prefetch suffices needs no token, so an authorization that can't be used counts as
none given. Scopes are not parsed, which serves SMART v1 and v2 clients alike.
"""

import re

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.members import Members, optional_object, optional_string
from cds_service.cds_hooks.request import AccessToken, FhirAuthorization

_BEARER_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""Anything that can stand in one header: wider than RFC 6750's b64token, narrower than what could split a header."""
_PATH = "fhirAuthorization"


def read_fhir_authorization(request: Members, patient_id: str) -> FhirAuthorization | None:
    """Read `fhirAuthorization` of a request for the patient `patient_id`.

    Returns:
        The authorization, or None where none usable is given (no token, or not of type Bearer in any letter case).

    Raises:
        RequestInvalid: a member is of a wrong type, the token can't be a header's value, or the token is bound to
            another patient than the context's (its searches could come back empty and look like no findings).
    """
    members = optional_object(request, _PATH, _PATH)
    if not members:
        return None
    token = optional_string(members, "access_token", f"{_PATH}.access_token")
    token_type = optional_string(members, "token_type", f"{_PATH}.token_type") or "Bearer"
    patient = optional_string(members, "patient", f"{_PATH}.patient")
    if patient is not None and patient.removeprefix("Patient/") != patient_id:
        raise RequestInvalid(f"'{_PATH}.patient' is another patient than 'context.patientId'.")
    if token is None or token_type.lower() != "bearer":
        return None
    if not _BEARER_TOKEN.fullmatch(token):
        raise RequestInvalid(f"'{_PATH}.access_token' holds characters a bearer token can't have.")
    return FhirAuthorization(
        access_token=AccessToken(token),
        scope=optional_string(members, "scope", f"{_PATH}.scope"),
        subject=optional_string(members, "subject", f"{_PATH}.subject"),
        patient=patient_id if patient is not None else None,
    )
