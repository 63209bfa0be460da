"""One call of a CDS service, as a frozen value. Knows no medicine, no FHIR library, no Flask."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class AccessToken:
    """The bearer token of fhirAuthorization: transient, and of a type that can't be logged by accident.

    `reveal()` is called in one place only, where the Authorization header is set.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def reveal(self) -> str:
        """The token itself, for the Authorization header of a call to this request's own FHIR server."""
        return self._secret

    def __repr__(self) -> str:
        return "AccessToken(...)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("an access token is not pickled")


@dataclass(frozen=True)
class FhirAuthorization:
    """What lets the service read the EHR's FHIR server during this call (CDS Hooks 3.0, FHIR Resource Access)."""

    access_token: AccessToken
    scope: str | None = None
    subject: str | None = None
    patient: str | None = None


@dataclass(frozen=True)
class PatientViewContext:
    """The context of the hook patient-view. `patient_id` and `encounter_id` are bare FHIR ids; `user_id` is Type/id."""

    user_id: str
    patient_id: str
    encounter_id: str | None = None

    @property
    def user_type(self) -> str:
        """The resource type of the user (Practitioner, PractitionerRole, Patient, RelatedPerson), '' if not told."""
        return self.user_id.partition("/")[0] if "/" in self.user_id else ""


@dataclass(frozen=True)
class CdsRequest:
    """One call. `prefetch` holds the given keys only: a key mapped to None was sent as null (no such data).

    What it holds is decoded JSON, or JSON as it was sent (`msgspec.Raw`).
    """

    hook: str
    hook_instance: str
    context: PatientViewContext
    fhir_server: str | None = None
    fhir_authorization: FhirAuthorization | None = None
    prefetch: Mapping[str, object] = field(default_factory=dict)
