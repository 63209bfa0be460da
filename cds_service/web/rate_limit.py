"""How often one caller may call, counted by the library `limits`. Knows no token and no service."""

import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from cds_service.web.errors import TooManyCalls


def counted_in(redis: Any) -> Storage:  # noqa: ANN401 - typed by its library, which this room doesn't import
    """A store of counts in the Redis of this client, which all processes share."""
    return RedisStorage("redis://", redis.connection_pool, key_prefix="cds:calls", wrap_exceptions=True)


class RateLimit:
    """So many calls of one caller in any window of the given length, by a sliding count: constant memory a caller."""

    def __init__(self, limit: str, open_storage: Callable[[], Storage] = MemoryStorage) -> None:
        """Take the limit.

        Args:
            limit: such as `600/minute`.
            open_storage: where calls are counted; opened at the first call, and so by each worker for itself.
        """
        self._limit = parse(limit)
        self._open_storage = open_storage
        self._opening = Lock()
        self._limiter: SlidingWindowCounterRateLimiter | None = None

    def admit(self, caller: str) -> bool:
        """Count a call.

        Returns:
            False where the store of the counts doesn't answer: the call is let in uncounted.

        Raises:
            TooManyCalls: it is one too many.
        """
        try:
            limiter = self._opened()
            if limiter.hit(self._limit, caller):
                return True
            reset = limiter.get_window_stats(self._limit, caller).reset_time
        except StorageError:
            return False
        raise TooManyCalls(max(1, math.ceil(reset - time.time())))

    def _opened(self) -> SlidingWindowCounterRateLimiter:
        with self._opening:
            if self._limiter is None:
                self._limiter = SlidingWindowCounterRateLimiter(self._open_storage())
            return self._limiter
