"""The composition root: the one file that sees every room. Wires them, decides nothing."""

import gc
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from flask import Flask

from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.audit.recording import record_calls_in
from cds_service.cds_hooks.clients import ANYONE, Authenticate, CdsClient
from cds_service.cds_hooks.feedback import FeedbackStore
from cds_service.client_authentication.opening import MAX_KEY_SET_BYTES, Surroundings, open_authentication
from cds_service.client_authentication.redis_tokens import RedisUsedTokens
from cds_service.client_authentication.trusted_clients import TrustedClient, load_trusted_clients
from cds_service.client_authentication.used_tokens import UsedTokens
from cds_service.feedback_summary.names import read_names
from cds_service.fhir_reading.releases import Release
from cds_service.knowledge.model import Knowledge
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.redis_client import open_redis
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.services.about_pages import render_about, render_causes
from cds_service.services.card_composer import CLINICIANS_ONLY, SiteOptions
from cds_service.services.card_memory import CardMemory
from cds_service.services.cytopenia_review import SERVICE_ID, CytopeniaReview, describe
from cds_service.services.fhir_access import ListedServers
from cds_service.services.issued_card import NOTHING_KEPT, IssuedCards
from cds_service.services.pseudonyms import Pseudonyms
from cds_service.services.registry import CdsService
from cds_service.services.warm_up import warm_up
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge, versions
from cds_service.smart_app.assembly import Program, smart_site
from cds_service.smart_app.registrations import Registered, load_registrations
from cds_service.smart_app.routes import SmartSite, create_smart_blueprint
from cds_service.web.edge import Clock, Edge
from cds_service.web.flask_app import create_edge
from cds_service.web.library_logs import listen_to_libraries
from cds_service.web.rate_limit import RateLimit, counted_in
from cds_service.web.request_log import CallRecord, configure_logging, log_call, write_line

_COLLECT_AFTER = (200_000, 20, 20)
"""Objects made before the garbage collector looks for cycles: a call makes many, none of them in a cycle, and looking
through 20,000 results again and again would take a third of the call."""
_DISTRIBUTION = "cytopenia-cds"


@dataclass(frozen=True)
class Parts:
    """What is served, ready to be wired: replace a part to serve something else (the sandbox and tests do).

    `warm_up` does once what the first call would else wait for; a server calls it before it forks.
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


def utc_now() -> datetime:
    """The one clock of the program; all that lies behind the edge is handed the time."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    clock: Clock = utc_now,
    parts: Parts | None = None,
    observers: tuple[Callable[[CallRecord], None], ...] = (log_call,),
) -> Flask:
    """The Flask app.

    Args:
        settings: read by `load_settings`.
        clock: gives each call its `as_of`.
        parts: what to serve; by default what `build_parts` makes of the settings.
        observers: hear of every finished call.
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
            admit=_admit(settings),
            allowed_origins=frozenset(settings.allowed_origins),
            pages=parts.pages,
            readiness=parts.readiness,
            dispensable=parts.dispensable,
            versions=parts.versions,
            override_reasons=parts.override_reasons,
            observers=(parts.audit, *observers),
            ops_token=settings.ops_token.get_secret_value() if settings.ops_token else None,
        )
    )
    if parts.smart_app is not None:
        app.register_blueprint(create_smart_blueprint(parts.smart_app))
    return app


def _admit(settings: Settings) -> Callable[[str], bool]:
    """The limit of calls, if any: counted in Redis, else by each process for itself."""
    if settings.rate_limit is None:
        return lambda _: True
    if settings.redis_url is None:
        return RateLimit(settings.rate_limit).admit
    redis = open_redis(settings.redis_url.get_secret_value())
    return RateLimit(settings.rate_limit, lambda: counted_in(redis)).admit


def build_parts(settings: Settings, clock: Clock = utc_now) -> Parts:
    """The service as shipped: its knowledge, the review of cytopenias, the records, the door, the pages about it.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
        ValueError: the database's URL or the trusted clients can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    knowledge = load_site_knowledge(settings)
    records = open_records(settings)
    clients = _trusted_clients(settings)
    redis = RedisUsedTokens(settings.redis_url.get_secret_value()) if settings.redis_url and clients else None
    issued = records.issued_cards if settings.memory else NOTHING_KEPT
    registrations = load_registrations(settings.smart_registrations) if settings.smart_registrations else {}
    review = cytopenia_review(settings, knowledge, clients, issued=issued)
    review = replace(review, site=replace(review.site, smart_servers=frozenset(registrations)))
    root = urlsplit(settings.public_url).path
    return Parts(
        services=(review,),
        feedback_store=records.feedback,
        authenticate=_door(settings, clients, redis or records.used_tokens, clock),
        pages={
            "/about": lambda: render_about(knowledge, version(_DISTRIBUTION), root),
            "/about/causes": lambda: render_causes(knowledge, root),
        },
        readiness={"redis": redis.answers} if redis else {"records": records.answer} if clients else {},
        dispensable={} if clients and not redis else {"records": records.answer},
        versions=versions(knowledge),
        override_reasons=read_names(knowledge.wording).reasons,
        audit=_audit(settings, records),
        smart_app=_smart_app(settings, registrations, review, records, clock),
        warm_up=lambda: warm_up(review, utc_now()),
    )


def _audit(settings: Settings, records: Stores) -> Callable[[CallRecord], None]:
    if not settings.audit:
        return lambda _: None
    return record_calls_in(records.audit_trail.append, AuditPseudonyms(_pseudonym_key(settings)))


def _trusted_clients(settings: Settings) -> tuple[TrustedClient, ...]:
    """The clients to trust; none where clients aren't authenticated."""
    if settings.auth == "off":
        return ()
    if settings.trusted_clients is None:
        raise ValueError(
            "CDS_TRUSTED_CLIENTS: needed, since CDS_AUTH is required: the file of trusted clients. Where a gateway "
            "authenticates clients, say so with CDS_AUTH=off."
        )
    return load_trusted_clients(settings.trusted_clients, settings.allow_http)


def _door(
    settings: Settings, clients: tuple[TrustedClient, ...], used_tokens: UsedTokens, clock: Clock
) -> Authenticate:
    if settings.trusted_clients is None or settings.auth == "off":
        return lambda _authorization, _path: ANYONE
    outbound = replace(_outbound(settings), max_body_bytes=MAX_KEY_SET_BYTES)
    around = Surroundings(outbound, write_line, clock, settings.trusted_clients.parent)
    return open_authentication(clients, settings.public_url, used_tokens, around).authenticate


def cytopenia_review(
    settings: Settings,
    knowledge: Knowledge,
    clients: tuple[TrustedClient, ...] = (),
    http: Callable[[OutboundSettings], HttpClient] = HttpClient,
    issued: IssuedCards = NOTHING_KEPT,
) -> CytopeniaReview:
    """The review as the settings want it, for these clients.

    `http` makes what it calls with (the doctor listens); `issued` keeps its cards, by default nothing does.
    """
    budget_seconds = settings.time_budget_ms / 1000
    site = _site_options(settings)
    return CytopeniaReview(
        knowledge=knowledge,
        description=describe(knowledge),
        fhir=_fhir_access(settings, clients, http(_outbound(settings))),
        site=site,
        deadline=lambda: Deadline.after(budget_seconds),
        memory=CardMemory(
            issued, Pseudonyms(site.fingerprint_key), SERVICE_ID, _previous_pseudonyms(settings), settings.mode
        ),
        release=None if settings.fhir_release == "auto" else Release(settings.fhir_release),
    )


def _fhir_access(
    settings: Settings, clients: tuple[TrustedClient, ...], http: HttpClient
) -> Callable[[CdsClient], ListedServers]:
    """Each client's own FHIR servers, and its own memory of what they told; anyone's where nobody is authenticated."""

    def listed(servers: Iterable[str]) -> ListedServers:
        return ListedServers(http, AllowedServers.parse(servers, settings.allow_http))

    anyone = listed(settings.fhir_servers if settings.auth == "off" else ())
    by_client = {trusted.client: listed(trusted.fhir_servers) for trusted in clients}
    return lambda client: by_client.get(client, anyone)


def _smart_app(
    settings: Settings,
    registrations: Mapping[str, Registered],
    review: CytopeniaReview,
    records: Stores,
    clock: Clock,
) -> SmartSite | None:
    """The trend as a SMART app, where it is registered anywhere; its reading is remembered by nobody."""
    if not registrations:
        return None
    http = HttpClient(_outbound(settings))
    servers = ListedServers(http, AllowedServers.parse(registrations, settings.allow_http))
    reader = replace(review, fhir=lambda _: servers, memory=replace(review.memory, issued=NOTHING_KEPT))
    key = settings.session_key.get_secret_value().encode() if settings.session_key else secrets.token_bytes(32)
    program = Program(settings.public_url, key, records.sealed_values, http, reader.review, review.knowledge, clock)
    return smart_site(registrations, program)


def _outbound(settings: Settings) -> OutboundSettings:
    return OutboundSettings(
        ca_bundle=settings.ca_bundle, client_cert=settings.client_cert, https_proxy=settings.https_proxy
    )


def _site_options(settings: Settings) -> SiteOptions:
    return SiteOptions(
        software_version=version(_DISTRIBUTION),
        public_url=settings.public_url,
        fingerprint_key=_pseudonym_key(settings),
        withheld_audience=CLINICIANS_ONLY if settings.patient_audience == "withhold" else frozenset(),
        extension=settings.assessment_extension,
        silent=settings.mode == "silent",
        paused=frozenset(settings.paused_findings),
    )


def _pseudonym_key(settings: Settings) -> bytes:
    """The site's key. Without one this start has its own, and what was remembered before isn't recognised."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    return secrets.token_bytes(32)


def _previous_pseudonyms(settings: Settings) -> Pseudonyms | None:
    key = settings.pseudonym_key_previous
    return Pseudonyms(key.get_secret_value().encode()) if key else None


def open_records(settings: Settings) -> Stores:
    """The records; an embedded database is made or migrated first, another one only with CDS_MIGRATE=auto.

    Raises:
        ValueError: the database's URL can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    url = settings.database_url.get_secret_value()
    stores = open_stores(url, settings.foreign_feedback if settings.memory else "unknown")
    if url.startswith("sqlite") or settings.migrate == "auto":
        migrate(url)
    return stores
