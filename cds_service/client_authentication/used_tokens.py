"""Each token once: what a memory of used tokens offers. The one in the database is in `records`."""

from datetime import datetime
from typing import Protocol


class UsedTokens(Protocol):
    """Remembers a token by issuer and `jti` until it has expired."""

    def use_once(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Whether this is the token's first use.

        Raises:
            StoreUnavailable: it can't be told; the token must not be accepted.
        """
        ...
