"""Client authentication over keys at hand and a memory of used tokens in this process."""

from dataclasses import dataclass, field
from datetime import datetime

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.client_authentication.authentication import ClientAuthentication, KnownClient
from cds_service.client_authentication.key_sources import KeySource
from cds_service.client_authentication.refusals import KeysUnavailable
from cds_service.client_authentication.signing_keys import SigningKey, read_key_set
from tests.builders.client_tokens import ISSUER, JWKS_URL, NOW, PUBLIC_URL, ec_key, key_set, public_jwk

CLIENT = CdsClient(ISSUER, "north")


@dataclass
class MemoryUsedTokens:
    """Remembers in this process, or is down."""

    down: bool = False
    used: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def use_once(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Whether it is the first use."""
        assert expires_at > now
        if self.down:
            raise StoreUnavailable("It can't be told just now.")
        first = (issuer, jti) not in self.used
        self.used[issuer, jti] = expires_at
        return first


@dataclass
class GivenKeys:
    """The keys of one document; None when no key could be had. Counts how often it is asked."""

    document: bytes | None = None
    asked: int = 0

    def find(self, kid: str) -> SigningKey | None:
        """The key with this id."""
        self.asked += 1
        if self.document is None:
            raise KeysUnavailable
        return read_key_set(self.document).keys.get(kid)

    def works(self) -> bool:
        """Whether there is a document."""
        return self.document is not None


def authentication(
    *jwks: object, keys: KeySource | None = None, used: MemoryUsedTokens | None = None, now: datetime = NOW
) -> ClientAuthentication:
    """One trusted client with these public keys (by default the main one)."""
    source = keys or GivenKeys(key_set(*(jwks or (public_jwk(ec_key()),))))
    return ClientAuthentication(
        {(ISSUER, None): KnownClient(CLIENT, source, JWKS_URL)}, PUBLIC_URL, used or MemoryUsedTokens(), lambda: now
    )
