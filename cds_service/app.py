"""The app, put together from the parts that `composition` makes. Wires them, decides nothing."""

import gc
from collections.abc import Callable

from flask import Flask

from cds_service.call_phases import Listener
from cds_service.composition.door import admit
from cds_service.composition.parts import Parts, assemble_parts, utc_now
from cds_service.composition.records import CountRows, open_records
from cds_service.composition.site import open_site
from cds_service.settings import Settings
from cds_service.web.edge import Clock, Edge
from cds_service.web.flask_app import create_edge
from cds_service.web.library_logs import listen_to_libraries
from cds_service.web.request_log import CallRecord, configure_logging, log_call

_COLLECT_AFTER = (200_000, 20, 20)
"""Objects made before the garbage collector looks for cycles: a call makes many, none of them in a cycle, and looking
through 20,000 results again and again would take a third of the call."""


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
            draining=parts.draining,
            ops_token=settings.ops_token.get_secret_value() if settings.ops_token else None,
        )
    )
    if parts.smart_app is not None:
        from cds_service.smart_app.routes import create_smart_blueprint  # noqa: PLC0415 - few sites have it

        app.register_blueprint(create_smart_blueprint(parts.smart_app))
    return app


def build_parts(settings: Settings, clock: Clock = utc_now, count_rows: CountRows = lambda *_: None) -> Parts:
    """The service as shipped, its database made or migrated as the settings want it.

    Args:
        settings: read by `load_settings`.
        clock: gives the time.
        count_rows: is told what becomes of cards given and audit entries.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
        ValueError: the database's URL or the trusted clients can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    return assemble_parts(settings, open_site(settings, open_records(settings, count_rows), clock), clock)
