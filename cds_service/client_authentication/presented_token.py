"""A token as it is presented, read strictly and believed in nothing (RFC 7515, 7519). Knows no key.

Header and claims are read from the very bytes that are signed, by the strict reading that refuses duplicate members:
two readers that take different ones of them would be two opinions on one token (RFC 8725, section 2.4).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from joserfc.util import urlsafe_b64decode

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.client_authentication.refusals import Reason, refuse

MAX_TOKEN_LENGTH = 16_384
MAX_KID_LENGTH = 500
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_UNDERSTOOD_BY_NOBODY = {"crit", "b64"}
"""RFC 7515, 4.1.11 and RFC 7797: what they announce changes what is signed or must be understood; we offer none."""


@dataclass(frozen=True)
class PresentedToken:
    """A token whose form is right. Nothing in it is proven yet."""

    text: str = field(repr=False)
    algorithm: str
    kid: str
    jku: str | None
    issuer: str
    claims: Mapping[str, object] = field(repr=False)


def read_token(authorization: str | None) -> PresentedToken:
    """The token of an Authorization header (RFC 6750, 2.1; the scheme in any letter case).

    Raises:
        ClientRefused: there is none, or its form is wrong.
    """
    text = _bearer_token(authorization)
    header, claims, _ = text.split(".")
    return _read_parts(text, _read_object(header), _read_object(claims))


def _read_parts(text: str, header: Mapping[str, object], claims: Mapping[str, object]) -> PresentedToken:
    if _UNDERSTOOD_BY_NOBODY & header.keys():
        raise refuse(Reason.CRITICAL_HEADER)
    algorithm, kid, typ, issuer = header.get("alg"), header.get("kid"), header.get("typ"), claims.get("iss")
    if not isinstance(algorithm, str):
        raise refuse(Reason.ALGORITHM)
    if not isinstance(typ, str) or typ.upper() != "JWT":
        raise refuse(Reason.HEADER)
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_LENGTH:
        raise refuse(Reason.HEADER)
    if not isinstance(issuer, str):
        raise refuse(Reason.CLAIMS)
    return PresentedToken(text, algorithm, kid, _key_url(header), issuer, claims)


def _key_url(header: Mapping[str, object]) -> str | None:
    if "jku" not in header:
        return None
    jku = header["jku"]
    if not isinstance(jku, str):
        raise refuse(Reason.KEY_URL)
    return jku


def _bearer_token(authorization: str | None) -> str:
    scheme, _, text = (authorization or "").partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise refuse(Reason.OTHER_SCHEME)
    text = text.strip(" ")
    if not text:
        raise refuse(Reason.NO_TOKEN)
    if len(text) > MAX_TOKEN_LENGTH or not _COMPACT.fullmatch(text):
        raise refuse(Reason.MALFORMED)
    return text


def _read_object(part: str) -> dict[str, object]:
    try:
        return decode_object(urlsafe_b64decode(part.encode("ascii")))
    except (RequestInvalid, ValueError):
        raise refuse(Reason.MALFORMED) from None
