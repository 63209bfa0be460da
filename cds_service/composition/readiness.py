"""What must work before calls are taken, and what they are answered without. Asks nobody itself."""

from typing import TYPE_CHECKING

from cds_service.composition.door import Door
from cds_service.records.stores import Stores
from cds_service.web.edge import Checks

if TYPE_CHECKING:
    from cds_service.client_authentication.redis_tokens import RedisUsedTokens


def needed_and_spared(records: Stores, redis: "RedisUsedTokens | None", door: Door) -> tuple[Checks, Checks]:
    """The checks of readiness by name: what is needed, and what can be spared; None for what the site does without.

    Where tokens are asked for, what remembers used ones is needed, Redis or else the database. Keys can be spared: one
    client whose keys can't be had must not close the door for the others. Without knowledge there is no process to ask.
    """
    checks: Checks = {
        "database": records.answer,
        "redis": redis.answers if redis else None,
        "keys": door.keys_work,
        "knowledge": lambda: True,
    }
    tokens = {"redis" if redis else "database"} if door.keys_work else set()
    needed = {name: check for name, check in checks.items() if name in {"knowledge", *tokens}}
    return needed, {name: check for name, check in checks.items() if name not in needed}
