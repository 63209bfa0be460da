"""The composition root: the one file that sees every room. Wires them, decides nothing."""

import gc
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from flask import Flask

from cds_service.cds_hooks.feedback import FeedbackStore
from cds_service.fhir_reading.releases import Release
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.services.about_pages import render_about, render_causes
from cds_service.services.card_composer import CLINICIANS_ONLY, SiteOptions
from cds_service.services.cytopenia_review import CytopeniaReview, describe
from cds_service.services.fhir_access import ListedServers
from cds_service.services.registry import CdsService
from cds_service.services.server_releases import ServerReleases
from cds_service.services.warm_up import warm_up
from cds_service.settings import Settings
from cds_service.web.edge import Clock, Edge
from cds_service.web.flask_app import create_edge
from cds_service.web.request_log import CallRecord, configure_logging, log_call

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
    pages: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    readiness: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
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
    gc.set_threshold(*_COLLECT_AFTER)
    parts = parts or build_parts(settings)
    return create_edge(
        Edge(
            services={service.description.id: service for service in parts.services},
            feedback_store=parts.feedback_store,
            clock=clock,
            max_body_bytes=settings.max_body_bytes,
            allowed_origins=frozenset(settings.allowed_origins),
            pages=parts.pages,
            readiness=parts.readiness,
            versions=parts.versions,
            observers=observers,
            ops_token=settings.ops_token.get_secret_value() if settings.ops_token else None,
        )
    )


def build_parts(settings: Settings) -> Parts:
    """The service as shipped: its knowledge, the review of cytopenias, the records, the pages about it.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
        ValueError: the database's URL can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    knowledge = load_site_knowledge(settings)
    records = open_records(settings)
    review = _cytopenia_review(settings, knowledge)
    root = urlsplit(settings.public_url).path
    return Parts(
        services=(review,),
        feedback_store=records.feedback,
        pages={
            "/about": lambda: render_about(knowledge, version(_DISTRIBUTION), root),
            "/about/causes": lambda: render_causes(knowledge, root),
        },
        readiness={"records": records.database.answers},
        versions=versions(knowledge),
        warm_up=lambda: warm_up(review, utc_now()),
    )


def _cytopenia_review(settings: Settings, knowledge: Knowledge) -> CytopeniaReview:
    fhir = _fhir_access(settings)
    budget_seconds = settings.time_budget_ms / 1000
    return CytopeniaReview(
        knowledge=knowledge,
        description=describe(knowledge),
        fhir=lambda _: fhir,
        site=_site_options(settings),
        deadline=lambda: Deadline.after(budget_seconds),
        release=None if settings.fhir_release == "auto" else Release(settings.fhir_release),
    )


def _fhir_access(settings: Settings) -> ListedServers:
    outbound = OutboundSettings(ca_bundle=settings.ca_bundle, https_proxy=settings.https_proxy)
    return ListedServers(
        client=HttpClient(outbound),
        allowed=AllowedServers.parse(settings.fhir_servers, settings.allow_http),
        releases=ServerReleases() if settings.fhir_release == "auto" else None,
    )


def _site_options(settings: Settings) -> SiteOptions:
    return SiteOptions(
        software_version=version(_DISTRIBUTION),
        public_url=settings.public_url,
        fingerprint_key=_pseudonym_key(settings),
        withheld_audience=CLINICIANS_ONLY if settings.patient_audience == "withhold" else frozenset(),
        extension=settings.assessment_extension,
    )


def _pseudonym_key(settings: Settings) -> bytes:
    """The site's key. Without one the fingerprints of this process are its own: enough where nothing is remembered."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    return secrets.token_bytes(32)


def load_site_knowledge(settings: Settings) -> Knowledge:
    """The knowledge files and the site's concept maps, with what the site decides by a setting.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
    """
    knowledge = load_knowledge(settings.knowledge_dir, settings.concept_maps)
    if settings.accepted_statuses is not None:
        knowledge = replace(knowledge, accepted_statuses=frozenset(settings.accepted_statuses))
    if settings.not_evaluable_card is not None:
        guideline = replace(knowledge.guideline, card_when_not_evaluable=settings.not_evaluable_card)
        knowledge = replace(knowledge, guideline=guideline)
    return knowledge


def versions(knowledge: Knowledge) -> Mapping[str, str]:
    """The versions of software, knowledge and concept maps, for `--version` and whoever holds the operator's token."""
    told = {"software": version(_DISTRIBUTION), "knowledge": knowledge.version}
    maps = (f"{found} ({found.codes} of {found.codes + found.unused} codes used)" for found in knowledge.concept_maps)
    return told | ({"conceptMaps": ", ".join(maps)} if knowledge.concept_maps else {})


def open_records(settings: Settings) -> Stores:
    """The records; an embedded database is made or migrated first, another one only with CDS_MIGRATE=auto.

    Raises:
        ValueError: the database's URL can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    url = settings.database_url.get_secret_value()
    stores = open_stores(url)
    if url.startswith("sqlite") or settings.migrate == "auto":
        migrate(url)
    return stores
