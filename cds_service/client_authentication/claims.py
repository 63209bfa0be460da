"""What a token claims, checked once its signature holds (RFC 7519, 4.1; RFC 8725, 3). Knows no key and no clock.

The library checks presence, types and times. Ours are the bound on a token's life, the length of `jti`, and the class
of a refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from joserfc.errors import ExpiredTokenError, InvalidClaimError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from cds_service.client_authentication.refusals import Reason, refuse

CLOCK_SKEW_SECONDS = 60
MAX_LIFE_SECONDS = 3600
"""From `iat` to `exp`: an hour at most (HL7 best practice); Epic signs for 15 minutes."""
MAX_JTI_LENGTH = 500
_TIMES = ("exp", "iat", "nbf")
_REASONS = {"aud": Reason.AUDIENCE, "nbf": Reason.NOT_YET_VALID, "iat": Reason.NOT_YET_VALID}
"""What an essential claim of the right type can still be: not for us, or not yet."""


@dataclass(frozen=True)
class TokenId:
    """What makes a token one of a kind, and until when it must be remembered (seconds since 1970).

    That is until a machine whose clock is behind would no longer accept it, by the clock of one that is ahead.
    """

    issuer: str
    jti: str
    expires_at: float


def check_claims(claims: Mapping[str, object], issuer: str, audiences: frozenset[str], now: datetime) -> TokenId:
    """Check the claims of a token that this issuer has signed.

    Args:
        claims: as read strictly: numbers are int or Decimal.
        issuer: the `iss` whose key verified the signature.
        audiences: the values of `aud` that mean the endpoint called; one of them must be there.
        now: aware time.

    Raises:
        ClientRefused: a claim is missing, of a wrong type, or doesn't hold.
    """
    checked = _with_plain_times(claims)
    registry = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=CLOCK_SKEW_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "values": sorted(audiences)},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )
    try:
        registry.validate(checked)
    except ExpiredTokenError:
        raise refuse(Reason.EXPIRED) from None
    except MissingClaimError:
        raise refuse(Reason.CLAIMS) from None
    except InvalidClaimError as error:
        raise refuse(_REASONS.get(error.claim or "", Reason.CLAIMS)) from None
    return _one_of_a_kind(checked)


def _with_plain_times(claims: Mapping[str, object]) -> dict[str, Any]:
    """The claims with times as plain numbers; a time that is none is a broken token, not an expired one."""
    checked: dict[str, Any] = dict(claims)
    for name in _TIMES:
        value = checked.get(name)
        if isinstance(value, Decimal):
            checked[name] = float(value)
        elif name in checked and (isinstance(value, bool) or not isinstance(value, int)):
            raise refuse(Reason.CLAIMS)
    if "tenant" in checked and not isinstance(checked["tenant"], str):
        raise refuse(Reason.CLAIMS)
    return checked


def _one_of_a_kind(claims: Mapping[str, Any]) -> TokenId:
    if not 0 < claims["exp"] - claims["iat"] <= MAX_LIFE_SECONDS:
        raise refuse(Reason.LIFETIME)
    jti: str = claims["jti"]
    if len(jti) > MAX_JTI_LENGTH or not jti.isprintable():
        raise refuse(Reason.CLAIMS)
    return TokenId(claims["iss"], jti, claims["exp"] + 2 * CLOCK_SKEW_SECONDS)
