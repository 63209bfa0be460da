"""What a site has beside its knowledge: records, trusted clients, EHRs where the app is registered. Judges nothing."""

# ruff: noqa: PLC0415 - what only some sites need is imported where such a site needs it

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cds_service.composition.door import Door, door, trusted_clients
from cds_service.composition.readiness import needed_and_spared
from cds_service.records.stores import Stores
from cds_service.settings import Settings
from cds_service.web.edge import Checks, Clock

if TYPE_CHECKING:
    from cds_service.client_authentication.redis_tokens import RedisUsedTokens
    from cds_service.client_authentication.trusted_clients import TrustedClient
    from cds_service.smart_app.registrations import Registered


@dataclass(frozen=True)
class Site:
    """Made once, before a process forks: no file of it is read again by each process, and no connection is open yet."""

    records: Stores
    clients: tuple["TrustedClient", ...]
    door: Door
    registrations: Mapping[str, "Registered"]
    readiness: Checks
    dispensable: Checks


def open_site(settings: Settings, records: Stores, clock: Clock) -> Site:
    """Read the site's files of clients and registrations, and make the door.

    Raises:
        ValueError: a file can't be used; the message begins with the setting that names it.
    """
    clients = trusted_clients(settings)
    in_redis = _used_tokens_in_redis(settings.redis_url.get_secret_value()) if settings.redis_url else None
    redis = in_redis if clients else None
    way_in = door(settings, clients, redis or records.used_tokens, clock)
    needed, spared = needed_and_spared(records, redis, way_in)
    return Site(
        records=records,
        clients=clients,
        door=way_in,
        registrations=_registrations(settings),
        readiness=needed,
        dispensable=spared,
    )


def _used_tokens_in_redis(url: str) -> "RedisUsedTokens":
    from cds_service.client_authentication.redis_tokens import RedisUsedTokens

    return RedisUsedTokens(url)


def _registrations(settings: Settings) -> Mapping[str, "Registered"]:
    if settings.smart_registrations is None:
        return {}
    from cds_service.smart_app.registrations import load_registrations

    return load_registrations(settings.smart_registrations)
