"""The edge as one value: all that the composition root hands to the routes. Knows no medicine and no Flask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cds_service.call_phases import Listener
from cds_service.cds_hooks.clients import ANYONE, Authenticate
from cds_service.cds_hooks.feedback import FeedbackStore
from cds_service.services.registry import CdsService
from cds_service.web.request_log import CallRecord, log_call

Checks = Mapping[str, Callable[[], bool] | None]
"""What is looked at, by name: whether it works now, or None where the site does without it."""
Clock = Callable[[], datetime]
"""Gives the time as an aware UTC datetime; read once a call, at the edge only."""


@dataclass(frozen=True)
class Edge:
    """What the routes serve.

    `authenticate` tells who calls the protocol's endpoints, before anything of a call is read; `admit` then refuses
    a caller, told by a name of its own, that calls too often (TooManyCalls), and says whether it could tell;
    `pages` maps a path to the maker of its HTML; `readiness` names what must work before calls are taken,
    `dispensable` what they are answered without when it fails; `versions` is told to who holds the `ops_token`;
    `override_reasons` names the reasons that we offer, by system and code; `observers` hear of every finished call,
    `listeners` of its phases while they pass; `draining` tells whether the server is about to stop, and wants no more
    calls.
    """

    services: Mapping[str, CdsService]
    feedback_store: FeedbackStore
    clock: Clock
    max_body_bytes: int
    authenticate: Authenticate = lambda _authorization, _path: ANYONE
    admit: Callable[[str], bool] = lambda _: True
    allowed_origins: frozenset[str] = frozenset()
    pages: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    readiness: Checks = field(default_factory=dict)
    dispensable: Checks = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    ops_token: str | None = None
    override_reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    observers: tuple[Callable[[CallRecord], None], ...] = (log_call,)
    listeners: tuple[Listener, ...] = ()
    draining: Callable[[], bool] = lambda: False
