"""Who calls (CDS Hooks 3.0, "Trusting CDS Clients"), as a frozen value. Knows no token, no key, no Flask."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class CdsClient:
    """The CDS client behind a call.

    `issuer` is the `iss` of its proven token; None where clients aren't authenticated (CDS_AUTH=off).
    `tenant` is the site's own name for the part of it that the client belongs to.
    """

    issuer: str | None = None
    tenant: str | None = None


ANYONE = CdsClient()
"""The caller where clients aren't authenticated."""

Authenticate = Callable[[str | None, str], CdsClient]
"""Tells who calls, from the Authorization header and the path called (as `/cds-services`).

Raises:
    cds_service.cds_hooks.errors.ClientRefused: the call proves no trusted client.
    cds_service.cds_hooks.errors.StoreUnavailable: it can't be told just now.
"""
