"""The one place where Redis is opened: every wait is short, since somebody waits for a card. Knows no key."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.retry import Retry

TIMEOUT_SECONDS = 0.5


def open_redis(url: str) -> Redis:
    """A client of CDS_REDIS_URL, shared by threads; it connects when first used, so it may be made before a fork.

    Raises:
        ValueError: the URL can't be understood.
    """
    try:
        return Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),  # a connection closed while idle
        )
    except ValueError:
        raise ValueError("CDS_REDIS_URL: must be redis://, rediss:// or unix://") from None
