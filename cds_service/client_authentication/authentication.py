"""Who calls: the steps from an Authorization header to a client, in the one right order. Reads no clock itself.

Form, then who it claims to come from, then that client's key and signature, then its claims, and last its one use: a
token that doesn't hold must not use up the `jti` of one that does.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cds_service.cds_hooks.clients import CdsClient
from cds_service.client_authentication.claims import TokenId, check_claims
from cds_service.client_authentication.key_sources import KeySource
from cds_service.client_authentication.presented_token import PresentedToken, read_token
from cds_service.client_authentication.refusals import Reason, refuse
from cds_service.client_authentication.signing_keys import ALGORITHMS
from cds_service.client_authentication.used_tokens import UsedTokens

_FEEDBACK = re.compile(r"(/cds-services/[^/]+)/feedback")


@dataclass(frozen=True)
class KnownClient:
    """A trusted client: what it is called by the service, its keys, and the `jku` its tokens may carry."""

    client: CdsClient
    keys: KeySource
    jku: str | None = None


@dataclass(frozen=True)
class ClientAuthentication:
    """Tells who calls (CDS Hooks 3.0, "Trusting CDS Clients").

    `clients` by issuer and claimed tenant, None for whatever it claims; `public_url` is the base, without a final
    slash, that `aud` must begin with: what the request says of its own host is never asked.
    """

    clients: Mapping[tuple[str, str | None], KnownClient]
    public_url: str
    used_tokens: UsedTokens
    clock: Callable[[], datetime]

    def authenticate(self, authorization: str | None, endpoint: str) -> CdsClient:
        """The client that signed the token, for this endpoint, for one use.

        Args:
            authorization: the header as received, None without one.
            endpoint: the path called, as `/cds-services/cytopenia-review`.

        Raises:
            ClientRefused: the call proves no trusted client; the reason is for the log.
            StoreUnavailable: keys or the memory of used tokens can't be had; never taken for a yes.
        """
        token = read_token(authorization)
        known = self._known(token)
        _check_signature(token, known)
        now = self.clock()
        used = check_claims(token.claims, token.issuer, self._audiences(endpoint), now)
        self._use(used, now)
        return known.client

    def keys_work(self) -> bool:
        """Whether every client's keys could be had when last looked for."""
        return all(known.keys.works() for known in self.clients.values())

    def _known(self, token: PresentedToken) -> KnownClient:
        """Who the token says it comes from: the tenant that it claims, else the issuer as a whole."""
        tenant = token.claims.get("tenant")
        known = self.clients.get((token.issuer, tenant)) if isinstance(tenant, str) else None
        known = known or self.clients.get((token.issuer, None))
        if known is None:
            raise refuse(Reason.UNKNOWN_ISSUER)
        return known

    def _audiences(self, endpoint: str) -> frozenset[str]:
        """The endpoint's URL; for feedback, where the specification leaves it open, the service's too."""
        service = _FEEDBACK.fullmatch(endpoint)
        return frozenset({self.public_url + endpoint, self.public_url + (service[1] if service else endpoint)})

    def _use(self, token: TokenId, now: datetime) -> None:
        expires_at = datetime.fromtimestamp(token.expires_at, UTC)
        if not self.used_tokens.use_once(token.issuer, token.jti, expires_at, now):
            raise refuse(Reason.REPLAYED)


def _check_signature(token: PresentedToken, known: KnownClient) -> None:
    if token.algorithm not in ALGORITHMS:
        raise refuse(Reason.ALGORITHM)  # no key of anyone's could have it, so none is looked for
    if token.jku is not None and token.jku != known.jku:
        raise refuse(Reason.KEY_URL)
    key = known.keys.find(token.kid)
    if key is None:
        raise refuse(Reason.UNKNOWN_KEY)
    if token.algorithm not in key.algorithms:
        raise refuse(Reason.ALGORITHM)
    if not key.verifies(token.text):
        raise refuse(Reason.SIGNATURE)
