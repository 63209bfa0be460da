"""The client's side, for integrators and tests: a key pair and tokens signed with it. Trusts and checks nothing."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from cds_service.client_authentication.signing_keys import ALGORITHMS

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_RSA_BITS = 3072
PrivateKey = RSAKey | ECKey


class KeyUnusable(ValueError):
    """It is no private key to sign tokens with."""


def make_key(algorithm: str) -> PrivateKey:
    """A new private key for one algorithm (ES*, RS*, PS*), with its thumbprint (RFC 7638) as `kid`."""
    told: KeyParameters = {"alg": algorithm, "use": "sig"}
    if algorithm in _CURVES:
        return ECKey.generate_key(_CURVES[algorithm], told, auto_kid=True)
    return RSAKey.generate_key(_RSA_BITS, told, auto_kid=True)


def read_private_key(text: str) -> PrivateKey:
    """A private key from a JWK.

    Raises:
        KeyUnusable: it is none, or lacks `kid` or `alg`.
    """
    try:
        jwk = json.loads(text)
        key = {"RSA": RSAKey, "EC": ECKey}[jwk["kty"]]
        imported: PrivateKey = key.import_key(jwk)  # type: ignore[attr-defined] # of the union of both classes
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise KeyUnusable("not a private key as a JWK") from None
    if not imported.is_private or not imported.kid or imported.alg not in ALGORITHMS:
        raise KeyUnusable("not a private signing key with kid and alg")
    return imported


def private_jwk(key: PrivateKey) -> str:
    """The private key as a JWK: a secret."""
    return json.dumps(key.as_dict(private=True), indent=2)


def public_key_set(*keys: PrivateKey) -> str:
    """The public halves as a JWK Set, to be registered with the service."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}, indent=2)


@dataclass(frozen=True)
class Call:
    """The one call a token is for: `issuer` (iss) calls `endpoint` (aud, a URL) within so many seconds."""

    issuer: str
    endpoint: str
    seconds: int = 300


def sign_token(key: PrivateKey, call: Call, now: datetime, jku: str | None = None) -> str:
    """A token for one call (CDS Hooks 3.0, "Trusting CDS Clients").

    Args:
        key: read by `read_private_key`.
        call: what it is for.
        now: aware time.
        jku: the URL of the key set, if the client names it.
    """
    at = int(now.timestamp())
    header = {"alg": key.alg, "typ": "JWT", "kid": key.kid} | ({"jku": jku} if jku else {})
    claims = {"iss": call.issuer, "aud": call.endpoint, "iat": at, "exp": at + call.seconds, "jti": str(uuid.uuid4())}
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[str(key.alg)])
