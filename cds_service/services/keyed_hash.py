"""What stands for something without telling it: HMAC-SHA256 with the site's key. Knows not what it stands for."""

import hmac
import json
from functools import lru_cache

_KEY_ID_CHARACTERS = 12


def keyed_hash(key: bytes, told: object) -> str:
    """The hash of JSON values, hexadecimal (64 characters). Without the key nobody can make or try one."""
    return hmac.digest(key, json.dumps(told).encode(), "sha256").hex()


@lru_cache(maxsize=8)
def key_id(key: bytes) -> str:
    """Tells hashes of one key from those of another."""
    return keyed_hash(key, ["key"])[:_KEY_ID_CHARACTERS]
