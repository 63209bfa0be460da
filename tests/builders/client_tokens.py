"""Keys and tokens of a synthetic CDS client: right ones, and any wrong one that can be put into bytes."""

import base64
import json
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://ehr.example.org/fhir"
JWKS_URL = "https://ehr.example.org/jwks.json"
PUBLIC_URL = "https://cds.example.org/hooks"
DISCOVERY = "/cds-services"
SERVICE = "/cds-services/cytopenia-review"
FEEDBACK = f"{SERVICE}/feedback"
BY_FILE = f'issuer = "{ISSUER}"\njwks_file = "keys.json"'
"""The main client, in the list of trusted clients, with its keys in a file."""
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")

Key = RSAKey | ECKey


@cache
def ec_key(name: str = "main", curve: str = "P-384") -> ECKey:
    """A private key; the same one for the same name."""
    return ECKey.generate_key(curve, {"kid": f"{name}-{curve}"})


@cache
def rsa_key(name: str = "main", bits: int = 2048) -> RSAKey:
    """A private key; the same one for the same name."""
    return RSAKey.generate_key(bits, {"kid": f"{name}-rsa-{bits}"})


def key_for(algorithm: str) -> RSAKey | ECKey:
    """A key that can sign with this algorithm."""
    return ec_key(curve=CURVES[algorithm]) if algorithm in CURVES else rsa_key()


def public_jwk(key: RSAKey | ECKey, **members: Any) -> dict[str, Any]:
    """The public half; members given None are left out."""
    jwk = {**key.as_dict(private=False), "kid": key.kid, **members}
    return {name: value for name, value in jwk.items() if value is not None}


def key_set(*jwks: Any) -> bytes:
    """A JWK Set as a server sends it."""
    return json.dumps({"keys": list(jwks)}).encode()


def header(**members: Any) -> dict[str, Any]:
    """A right header for the main ES384 key; members given None are left out."""
    return _given({"alg": "ES384", "typ": "JWT", "kid": ec_key().kid, **members})


def claims(now: datetime = NOW, **members: Any) -> dict[str, Any]:
    """Right claims for the service's endpoint, of five minutes; members given None are left out."""
    at = int(now.timestamp())
    right = {"iss": ISSUER, "aud": PUBLIC_URL + SERVICE, "iat": at, "exp": at + 300, "jti": str(uuid.uuid4())}
    return _given({**right, **members})


def token(head: Any = None, body: Any = None, key: Key | None = None, algorithm: str | None = None) -> str:
    """A signed token. Head and body may be objects, or bytes to be taken as they are.

    The algorithm signed with is the head's unless another one is given.
    """
    head = header() if head is None else head
    body = claims() if body is None else body
    signed = f"{encode(head)}.{encode(body)}"
    model = jws.JWSRegistry.algorithms[algorithm or head["alg"]]
    return f"{signed}.{encode(model.sign(signed.encode(), key or ec_key()))}"


def bearer(*parts: Any, **named: Any) -> str:
    """The Authorization header with a token."""
    return f"Bearer {token(*parts, **named)}"


def bearer_now(path: str = SERVICE, *, key: Key | None = None, **members: Any) -> str:
    """The Authorization header of a right client for one call of a path, made at this moment."""
    told = claims(datetime.now(UTC), **{"aud": PUBLIC_URL + path, **members})
    return bearer(header(kid=(key or ec_key()).kid), told, key)


def trusting(folder: Path, *clients: str, keys: bytes | None = None) -> dict[str, str]:
    """The settings of a service that trusts these clients, by default the main one; the files for that are made.

    Each client is given as lines of TOML; `keys` is the key set in `keys.json`, by default the main key alone.
    """
    (folder / "keys.json").write_bytes(key_set(public_jwk(ec_key())) if keys is None else keys)
    trusted = folder / "clients.toml"
    trusted.write_text("\n".join(f"[[client]]\n{client}" for client in clients or (BY_FILE,)), encoding="utf-8")
    return {"CDS_TRUSTED_CLIENTS": str(trusted), "CDS_PUBLIC_URL": PUBLIC_URL}


def encode(part: Any) -> str:
    """Base64url without padding; objects as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
