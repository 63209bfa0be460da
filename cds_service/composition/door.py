"""Who is let in: trusted clients by their tokens, each so often. Where nobody is authenticated, anyone.

What only some sites need is imported where such a site needs it: a start shouldn't take longer than it must.
"""

# ruff: noqa: PLC0415

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cds_service.cds_hooks.clients import ANYONE, Authenticate
from cds_service.composition.options import outbound_settings
from cds_service.settings import Settings
from cds_service.web.edge import Clock
from cds_service.web.request_log import write_line

if TYPE_CHECKING:
    from cds_service.client_authentication.trusted_clients import TrustedClient
    from cds_service.client_authentication.used_tokens import UsedTokens


def trusted_clients(settings: Settings) -> tuple["TrustedClient", ...]:
    """The clients to trust; none where clients aren't authenticated.

    Raises:
        ValueError: they aren't told, or their file can't be used.
    """
    if settings.auth == "off":
        return ()
    if settings.trusted_clients is None:
        raise ValueError(
            "CDS_TRUSTED_CLIENTS: needed, since CDS_AUTH is required: the file of trusted clients. Where a gateway "
            "authenticates clients, say so with CDS_AUTH=off."
        )
    from cds_service.client_authentication.trusted_clients import load_trusted_clients

    return load_trusted_clients(settings.trusted_clients, settings.allow_http)


@dataclass(frozen=True)
class Door:
    """What tells who calls, and whether the keys for that can be had; nobody's are needed where all are let in."""

    authenticate: Authenticate
    keys_work: Callable[[], bool] | None = None


def door(settings: Settings, clients: tuple["TrustedClient", ...], used_tokens: "UsedTokens", clock: Clock) -> Door:
    """The door for these clients' tokens.

    Raises:
        ValueError: a client's key file can't be used.
    """
    if settings.trusted_clients is None or settings.auth == "off":
        return Door(lambda _authorization, _path: ANYONE)
    from cds_service.client_authentication.opening import MAX_KEY_SET_BYTES, Surroundings, open_authentication

    outbound = replace(outbound_settings(settings), max_body_bytes=MAX_KEY_SET_BYTES)
    around = Surroundings(outbound, write_line, clock, settings.trusted_clients.parent)
    opened = open_authentication(clients, settings.public_url, used_tokens, around)
    return Door(opened.authenticate, opened.keys_work)


def admit(settings: Settings) -> Callable[[str], bool]:
    """The limit of calls, if any: counted in Redis, else by each process for itself."""
    if settings.rate_limit is None:
        return lambda _: True
    from cds_service.web.rate_limit import RateLimit, counted_in

    if settings.redis_url is None:
        return RateLimit(settings.rate_limit).admit
    from cds_service.outbound.redis_client import open_redis

    redis = open_redis(settings.redis_url.get_secret_value())
    return RateLimit(settings.rate_limit, lambda: counted_in(redis)).admit
