"""The app, put together from the parts that `composition` makes. Wires them, decides nothing."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from flask import Flask

from cds_service.call_phases import Listener
from cds_service.cds_hooks.clients import ANYONE, Authenticate
from cds_service.cds_hooks.feedback import FeedbackStore
from cds_service.client_authentication.redis_tokens import RedisUsedTokens
from cds_service.composition.door import admit, door, trusted_clients
from cds_service.composition.records import CountRows, audit, open_records
from cds_service.composition.review import cytopenia_review
from cds_service.composition.site import DISTRIBUTION
from cds_service.composition.trend_app import trend_app
from cds_service.feedback_summary.names import read_names
from cds_service.services.about_pages import render_about, render_causes
from cds_service.services.issued_card import NOTHING_KEPT
from cds_service.services.registry import CdsService
from cds_service.services.warm_up import warm_up
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge, versions
from cds_service.smart_app.registrations import load_registrations
from cds_service.smart_app.routes import SmartSite, create_smart_blueprint
from cds_service.web.edge import Clock, Edge
from cds_service.web.flask_app import create_edge
from cds_service.web.library_logs import listen_to_libraries
from cds_service.web.request_log import CallRecord, configure_logging, log_call

_COLLECT_AFTER = (200_000, 20, 20)
"""Objects made before the garbage collector looks for cycles: a call makes many, none of them in a cycle, and looking
through 20,000 results again and again would take a third of the call."""


@dataclass(frozen=True)
class Parts:
    """What is served, ready to be wired: replace a part to serve something else (the sandbox and tests do).

    `warm_up` does once what the first call would else wait for; a server calls it before it forks. `write_rows` has
    written what this process still keeps in hand of the calls it answered, within so many seconds, and says whether.
    """

    services: tuple[CdsService, ...]
    feedback_store: FeedbackStore
    authenticate: Authenticate = lambda _authorization, _path: ANYONE
    pages: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    readiness: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    dispensable: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    override_reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    audit: Callable[[CallRecord], None] = lambda _: None
    smart_app: SmartSite | None = None
    warm_up: Callable[[], object] = lambda: None
    write_rows: Callable[[float], bool] = lambda _seconds: True


def utc_now() -> datetime:
    """The one clock of the program; all that lies behind the edge is handed the time."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    clock: Clock = utc_now,
    parts: Parts | None = None,
    observers: tuple[Callable[[CallRecord], None], ...] = (log_call,),
    listeners: tuple[Listener, ...] = (),
) -> Flask:
    """The Flask app.

    Args:
        settings: read by `load_settings`.
        clock: gives each call its `as_of`.
        parts: what to serve; by default what `build_parts` makes of the settings.
        observers: hear of every finished call.
        listeners: hear of its phases while they pass.
    """
    configure_logging(settings.log_level)
    listen_to_libraries(settings.log_level)
    gc.set_threshold(*_COLLECT_AFTER)
    parts = parts or build_parts(settings, clock)
    app = create_edge(
        Edge(
            services={service.description.id: service for service in parts.services},
            feedback_store=parts.feedback_store,
            clock=clock,
            max_body_bytes=settings.max_body_bytes,
            authenticate=parts.authenticate,
            admit=admit(settings),
            allowed_origins=frozenset(settings.allowed_origins),
            pages=parts.pages,
            readiness=parts.readiness,
            dispensable=parts.dispensable,
            versions=parts.versions,
            override_reasons=parts.override_reasons,
            observers=(parts.audit, *observers),
            listeners=listeners,
            ops_token=settings.ops_token.get_secret_value() if settings.ops_token else None,
        )
    )
    if parts.smart_app is not None:
        app.register_blueprint(create_smart_blueprint(parts.smart_app))
    return app


def build_parts(settings: Settings, clock: Clock = utc_now, count_rows: CountRows = lambda *_: None) -> Parts:
    """The service as shipped: its knowledge, the review of cytopenias, the records, the door, the pages about it.

    Args:
        settings: read by `load_settings`.
        clock: gives the time.
        count_rows: is told what becomes of cards given and audit entries.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
        ValueError: the database's URL or the trusted clients can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    knowledge = load_site_knowledge(settings)
    records = open_records(settings, count_rows)
    clients = trusted_clients(settings)
    redis = RedisUsedTokens(settings.redis_url.get_secret_value()) if settings.redis_url and clients else None
    issued = records.issued_cards if settings.memory else NOTHING_KEPT
    registrations = load_registrations(settings.smart_registrations) if settings.smart_registrations else {}
    review = cytopenia_review(settings, knowledge, clients, issued=issued)
    review = replace(review, site=replace(review.site, smart_servers=frozenset(registrations)))
    root = urlsplit(settings.public_url).path
    return Parts(
        services=(review,),
        feedback_store=records.feedback,
        authenticate=door(settings, clients, redis or records.used_tokens, clock),
        pages={
            "/about": lambda: render_about(knowledge, version(DISTRIBUTION), root),
            "/about/causes": lambda: render_causes(knowledge, root),
        },
        readiness={"redis": redis.answers} if redis else {"records": records.answer} if clients else {},
        dispensable={} if clients and not redis else {"records": records.answer},
        versions=versions(knowledge),
        override_reasons=read_names(knowledge.wording).reasons,
        audit=audit(settings, records),
        smart_app=trend_app(settings, registrations, review, records, clock),
        warm_up=lambda: warm_up(review, utc_now()),
        write_rows=records.keeper.flush,
    )
