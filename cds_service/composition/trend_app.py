"""The counts over time as a SMART app, where it is registered anywhere: nowhere else is it imported."""

# ruff: noqa: PLC0415

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cds_service.composition.options import outbound_settings
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.records.stores import Stores
from cds_service.services.cytopenia_review import CytopeniaReview
from cds_service.services.fhir_access import ListedServers
from cds_service.services.issued_card import NOTHING_KEPT
from cds_service.settings import Settings
from cds_service.web.edge import Clock

if TYPE_CHECKING:
    from cds_service.smart_app.registrations import Registered
    from cds_service.smart_app.routes import SmartSite


def trend_app(
    settings: Settings,
    registrations: Mapping[str, "Registered"],
    review: CytopeniaReview,
    records: Stores,
    clock: Clock,
) -> "SmartSite | None":
    """The trend as a SMART app, where it is registered anywhere; its reading is remembered by nobody."""
    if not registrations:
        return None
    from cds_service.smart_app.assembly import Program, smart_site

    http = HttpClient(outbound_settings(settings))
    servers = ListedServers(http, AllowedServers.parse(registrations, settings.allow_http))
    reader = replace(review, fhir=lambda _: servers, memory=replace(review.memory, issued=NOTHING_KEPT))
    key = settings.session_key.get_secret_value().encode() if settings.session_key else secrets.token_bytes(32)
    program = Program(settings.public_url, key, records.sealed_values, http, reader.review, review.knowledge, clock)
    return smart_site(registrations, program)
