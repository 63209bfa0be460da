"""Why a token is refused, as classes for log and counts. The caller is never told. Knows no token."""

from enum import StrEnum

from cds_service.cds_hooks.errors import ClientRefused, StoreUnavailable


class Reason(StrEnum):
    """The class of a refusal; docs/how-to/trust-a-client.md says for each what to look at."""

    NO_TOKEN = "no-token"  # noqa: S105 - a reason's name
    OTHER_SCHEME = "other-scheme"
    MALFORMED = "malformed"
    HEADER = "header"
    CRITICAL_HEADER = "critical-header"
    KEY_URL = "key-url"
    ALGORITHM = "algorithm"
    UNKNOWN_ISSUER = "unknown-issuer"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    LIFETIME = "lifetime"
    REPLAYED = "replayed"


def refuse(reason: Reason) -> ClientRefused:
    """The refusal to raise."""
    return ClientRefused(reason.value)


class KeysUnavailable(StoreUnavailable):
    """No key of this client could be had so far, so nothing can be said of its token (503, Retry-After)."""

    def __init__(self) -> None:
        super().__init__("Clients can't be authenticated just now; try again.")
