"""The id_token, checked when it was asked for: signature, issuer, audience, nonce, times (OpenID Connect 3.1.3.7)."""

import re
from datetime import datetime
from typing import cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jwt import JWTClaimsRegistry

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.client_authentication.key_sources import download_key_set
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.smart_app.authorization import PendingLaunch
from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.smart_app.registrations import Registration
from cds_service.smart_app.smart_configuration import check_endpoint

_ALGORITHMS = ["RS256", "RS384", "ES256", "ES384"]
_LEEWAY_SECONDS = 60
_USER = re.compile(r"(?:.*/)?((?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64})")


def check_identity(  # noqa: PLR0913 - all that the check rests on
    id_token: str | None,
    pending: PendingLaunch,
    registration: Registration,
    http: HttpClient,
    now: datetime,
    deadline: Deadline,
) -> str | None:
    """Who the user is (`fhirUser` as Type/id; None where it isn't told), if the id_token is the answer to this launch.

    Raises:
        LaunchFailed: it is missing, or doesn't hold.
    """
    if id_token is None or pending.jwks_uri is None or pending.issuer is None or pending.nonce is None:
        raise LaunchFailed(Trouble.IDENTITY)
    try:
        keys = decode_object(download_key_set(http, check_endpoint(pending.jwks_uri, registration), deadline))
        key_set = KeySet.import_key_set(cast("KeySetSerialization", keys))
        token = jwt.decode(id_token, key_set, algorithms=_ALGORITHMS)
        registry = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": pending.issuer},
            aud={"essential": True, "value": registration.client_id},
            nonce={"essential": True, "value": pending.nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(token.claims)
        return _user(token.claims.get("fhirUser") or token.claims.get("profile"))
    except (JoseError, CallFailed, RequestInvalid, ValueError, TypeError, KeyError):
        raise LaunchFailed(Trouble.IDENTITY) from None


def _user(told: object) -> str | None:
    """The reference of the user, without its server (SMART App Launch 2.2, Scopes for requesting identity data)."""
    found = _USER.fullmatch(told) if isinstance(told, str) else None
    return found[1] if found else None
