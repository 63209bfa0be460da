"""The parts of the service as shipped: the review of cytopenias, the records, the door, the pages about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cds_service.cds_hooks.clients import ANYONE, Authenticate
from cds_service.cds_hooks.feedback import FeedbackStore
from cds_service.composition.options import DISTRIBUTION
from cds_service.composition.records import audit
from cds_service.composition.review import cytopenia_review
from cds_service.composition.site import Site
from cds_service.composition.trend_app import trend_app
from cds_service.feedback_summary.names import read_names
from cds_service.services.about_pages import render_about, render_causes
from cds_service.services.issued_card import NOTHING_KEPT
from cds_service.services.registry import CdsService
from cds_service.services.warm_up import warm_up
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge, versions
from cds_service.web.edge import Checks, Clock
from cds_service.web.request_log import CallRecord

if TYPE_CHECKING:
    from cds_service.smart_app.routes import SmartSite


@dataclass(frozen=True)
class Parts:
    """What is served, ready to be wired: replace a part to serve something else (the sandbox and tests do).

    `warm_up` does once what the first call would else wait for; a server calls it before it takes calls.
    `write_rows` has written what this process still keeps in hand of the calls it answered, within so many seconds, and
    says whether. `draining` tells whether the server is about to stop.
    """

    services: tuple[CdsService, ...]
    feedback_store: FeedbackStore
    authenticate: Authenticate = lambda _authorization, _path: ANYONE
    pages: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    readiness: Checks = field(default_factory=dict)
    dispensable: Checks = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    override_reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    audit: Callable[[CallRecord], None] = lambda _: None
    smart_app: "SmartSite | None" = None
    warm_up: Callable[[], object] = lambda: None
    write_rows: Callable[[float], bool] = lambda _seconds: True
    draining: Callable[[], bool] = lambda: False


def utc_now() -> datetime:
    """The one clock of the program; all that lies behind the edge is handed the time."""
    return datetime.now(UTC)


def assemble_parts(settings: Settings, site: Site, clock: Clock) -> Parts:
    """Load the knowledge, and make the parts for this site.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
    """
    knowledge = load_site_knowledge(settings)
    issued = site.records.issued_cards if settings.memory else NOTHING_KEPT
    review = cytopenia_review(settings, knowledge, site.clients, issued=issued)
    review = replace(review, site=replace(review.site, smart_servers=frozenset(site.registrations)))
    root = urlsplit(settings.public_url).path
    return Parts(
        services=(review,),
        feedback_store=site.records.feedback,
        authenticate=site.door.authenticate,
        pages={
            "/about": lambda: render_about(knowledge, version(DISTRIBUTION), root),
            "/about/causes": lambda: render_causes(knowledge, root),
        },
        readiness=site.readiness,
        dispensable=site.dispensable,
        versions=versions(knowledge),
        override_reasons=read_names(knowledge.wording).reasons,
        audit=audit(settings, site.records),
        smart_app=trend_app(settings, site.registrations, review, site.records, clock),
        warm_up=lambda: warm_up(review, utc_now()),
        write_rows=site.records.keeper.flush,
    )
