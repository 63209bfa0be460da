"""Used tokens in Redis, shared by all workers and machines. Knows no signature.

To put in and to look up is one step (SET NX), so that of many uses at once exactly one is the first.
"""

import hashlib
import math
from datetime import datetime

from redis.exceptions import RedisError

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.outbound.redis_client import open_redis


class RedisUsedTokens:
    """Used tokens in Redis, which forgets them by itself. Issuer and `jti` are kept as a hash only."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that can't be used; connects on first use."""
        self._redis = open_redis(url)

    def use_once(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Whether this is the token's first use (SET NX EX).

        Raises:
            StoreUnavailable: Redis doesn't answer, or refuses.
        """
        name = "cds:used-token:" + hashlib.sha256(f"{issuer}\n{jti}".encode()).hexdigest()
        seconds = max(1, math.ceil((expires_at - now).total_seconds()))
        try:
            return bool(self._redis.set(name, 1, nx=True, ex=seconds))
        except (RedisError, OSError):
            raise StoreUnavailable("It can't be told whether this token was used before; try again.") from None

    def answers(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(self._redis.ping())
        except (RedisError, OSError):
            return False
