"""Asking for access: the address the browser is sent to, and what is remembered until it comes back. Fetches nothing.

PKCE with S256, `state` and `aud` always (SMART App Launch 2.2; RFC 7636). What is remembered never leaves the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.smart_app.registrations import Registration
from cds_service.smart_app.smart_configuration import SmartConfiguration

LAUNCH_LIFE = timedelta(minutes=10)
"""How long a browser may take to come back from the authorization server."""
_READ = ("Patient", "Observation", "Condition", "MedicationRequest")
_NEEDED = "Observation"
_LONGEST_CODE = 8000


@dataclass(frozen=True)
class PendingLaunch:
    """A browser was sent to the authorization server, and isn't back yet. `browser` is who may come back."""

    fhir_server: str
    token_endpoint: str
    verifier: str
    browser: str
    expires_at: datetime
    issuer: str | None = None
    jwks_uri: str | None = None
    nonce: str | None = None


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and under which `state` its launch is remembered."""

    url: str
    state: str
    pending: PendingLaunch


def scopes(registration: Registration, configuration: SmartConfiguration, launch: str | None) -> str:
    """Exactly what the trend needs, as this server spells it (SMART App Launch 2.2, Scopes)."""
    right = "rs" if configuration.takes_v2_scopes else "read"
    asked = ["launch" if launch else "launch/patient", *(f"patient/{resource}.{right}" for resource in _READ)]
    asked += ["openid", "fhirUser"] if registration.identity else []
    asked += ["offline_access"] if registration.offline else ["online_access"]
    return " ".join(asked)


@dataclass(frozen=True)
class Traveller:
    """Who is sent: `launch` is the EHR's opaque handle (None: the app was opened by itself), `browser` the browser."""

    launch: str | None
    browser: str
    redirect_uri: str


def depart(
    registration: Registration, configuration: SmartConfiguration, traveller: Traveller, now: datetime
) -> Departure:
    """Begin a launch."""
    state, verifier = generate_token(43), generate_token(64)
    nonce = generate_token(32) if registration.identity else None
    url = prepare_grant_uri(
        configuration.authorization_endpoint,
        client_id=registration.client_id,
        response_type="code",
        redirect_uri=traveller.redirect_uri,
        scope=scopes(registration, configuration, traveller.launch),
        state=state,
        aud=registration.fhir_server,
        launch=traveller.launch,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
        code_challenge_method="S256",
    )
    pending = PendingLaunch(
        fhir_server=registration.fhir_server,
        token_endpoint=configuration.token_endpoint,
        verifier=verifier,
        browser=traveller.browser,
        expires_at=now + LAUNCH_LIFE,
        issuer=configuration.issuer,
        jwks_uri=configuration.jwks_uri,
        nonce=nonce,
    )
    return Departure(url, state, pending)


def returned_code(answer: Mapping[str, str]) -> str:
    """The code the browser brought back.

    Raises:
        LaunchFailed: the authorization server said no (RFC 6749, 4.1.2.1), or gave none.
    """
    error = answer.get("error")
    if error is not None:
        raise LaunchFailed(_TROUBLE.get(error, Trouble.EHR_REFUSED))
    code = answer.get("code", "")
    if not code or len(code) > _LONGEST_CODE:
        raise LaunchFailed(Trouble.EHR_UNAVAILABLE)
    return code


def covers(granted: str) -> bool:
    """Whether the scopes granted allow reading Observations, in either spelling, of the patient or the user."""
    for scope in granted.split():
        context, _, access = scope.partition("/")
        resource, _, rights = access.partition("?")[0].partition(".")
        reads = rights in {"read", "*"} or ({"r", "s"} <= set(rights) <= set("cruds"))
        if context in {"patient", "user", "system"} and resource in {_NEEDED, "*"} and reads:
            return True
    return False


_TROUBLE = {"access_denied": Trouble.DENIED, "invalid_scope": Trouble.SCOPE}
