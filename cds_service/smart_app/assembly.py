"""From the registrations to the app: its launches, its sessions, its reading. Fetches nothing yet."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cds_service.knowledge.model import Knowledge
from cds_service.outbound.client import HttpClient
from cds_service.smart_app.chart_page import ChartReader, Review
from cds_service.smart_app.launching import SmartLaunches
from cds_service.smart_app.registrations import Registered
from cds_service.smart_app.routes import SmartSite
from cds_service.smart_app.sessions import SealedStore, Sessions


@dataclass(frozen=True)
class Program:
    """What the app needs of the program. `session_key` seals what is kept; `review` reads the EHRs registered with."""

    public_url: str
    session_key: bytes
    store: SealedStore
    http: HttpClient
    review: Review
    knowledge: Knowledge
    clock: Callable[[], datetime]


def smart_site(registrations: Mapping[str, Registered], program: Program) -> SmartSite:
    """The app for these registrations, by FHIR server."""
    launches = SmartLaunches(
        registrations=registrations,
        sessions=Sessions(program.store, _fernet_key(program.session_key)),
        http=program.http,
        redirect_uri=f"{program.public_url}/smart/callback",
    )
    return SmartSite(
        launches=launches,
        charts=ChartReader(program.review, program.knowledge),
        cookie_key=program.session_key,
        clock=program.clock,
        secure=program.public_url.startswith("https:"),
    )


def _fernet_key(session_key: bytes) -> bytes:
    """The site's secret in the form the library takes: 32 bytes, url-safe."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"cds-smart-sessions:" + session_key).digest())
