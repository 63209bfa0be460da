"""The public keys of a JWK Set, each with the algorithms it may verify (RFC 7517, 7518). Knows no token and no client.

The algorithm comes from the key, never from a token's header (RFC 8725, section 3.1). A key that can't be used is
left out and counted; the others stay.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object

# The library warns of a weak key on standard error, where only log lines belong; we refuse it.
warnings.filterwarnings("ignore", category=SecurityWarning)

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_KEYS = 200
_BY_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_RSA_PKCS1 = frozenset({"RS256", "RS384", "RS512"})
_RSA_PSS = frozenset({"PS256", "PS384", "PS512"})
ALGORITHMS = frozenset(_BY_CURVE.values()) | _RSA_PKCS1 | _RSA_PSS
"""Every algorithm that a key of ours can have: asymmetric ones only."""
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class KeySetUnreadable(ValueError):
    """It is no JWK Set; the text is a reason code."""


class _Registry(jws.JWSRegistry):
    """The library's check of a header, narrowed to `alg`: what else it may hold is checked, or ignored, by us."""

    default_header_registry = {}  # noqa: RUF012 - as the library declares it
    max_header_length = 16_384


@dataclass(frozen=True)
class SigningKey:
    """One public key. `algorithms` is one, or for an RSA key that doesn't say, the three that EHRs sign with."""

    algorithms: frozenset[str]
    _key: RSAKey | ECKey = field(repr=False)
    _registry: jws.JWSRegistry = field(repr=False)

    def verifies(self, token: str) -> bool:
        """Whether this key made the signature of a compact JWS, with one of its algorithms."""
        try:
            jws.deserialize_compact(token, self._key, registry=self._registry)
        except (JoseError, ValueError):
            return False
        return True


@dataclass(frozen=True)
class KeySet:
    """The usable keys by `kid`, and how many others there were."""

    keys: Mapping[str, SigningKey]
    left_out: int = 0


def read_key_set(document: bytes) -> KeySet:
    """Read a JWK Set.

    Raises:
        KeySetUnreadable: it is no object with a list `keys` of at most 200.
    """
    try:
        listed = decode_object(document).get("keys")
    except RequestInvalid:
        raise KeySetUnreadable("not-json") from None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise KeySetUnreadable("no-key-set")
    usable: dict[str, SigningKey] = {}
    for jwk in listed:
        key = _read_key(jwk)
        if key is not None:
            usable.setdefault(jwk["kid"], key)  # `kid` is unique in the set (CDS Hooks); a second one is left out
    return KeySet(usable, len(listed) - len(usable))


def _read_key(jwk: object) -> SigningKey | None:
    """A key that may verify signatures; None for any other. A private key in a published set is no secret any more."""
    if not isinstance(jwk, dict) or _PRIVATE_MEMBERS & jwk.keys() or not _is_for_signatures(jwk):
        return None
    kid, kty = jwk.get("kid"), jwk.get("kty")
    if not isinstance(kid, str) or not kid or kty not in ("RSA", "EC"):
        return None
    try:
        key = RSAKey.import_key(jwk) if kty == "RSA" else ECKey.import_key(jwk)
        algorithms = _algorithms(key, jwk.get("alg"))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return SigningKey(algorithms, key, _Registry(algorithms=algorithms, strict_check_header=False))


def _is_for_signatures(jwk: Mapping[str, object]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _algorithms(key: RSAKey | ECKey, alg: object) -> frozenset[str]:
    """The algorithms of a key. Raises ValueError when there are none, KeyError for another curve."""
    if isinstance(key, ECKey):
        possible = usual = frozenset({_BY_CURVE[key.curve_name]})
    elif MIN_RSA_BITS <= key.public_key.key_size <= MAX_RSA_BITS:
        possible, usual = _RSA_PKCS1 | _RSA_PSS, _RSA_PKCS1
    else:
        raise ValueError("weak")
    if alg is None:
        return usual
    if alg not in possible:
        raise ValueError("alg")
    return frozenset({str(alg)})
