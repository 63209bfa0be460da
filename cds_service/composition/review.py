"""The review of cytopenias as the settings want it: its knowledge, its ways to FHIR servers, its memory."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cds_service.cds_hooks.clients import CdsClient
from cds_service.composition.options import outbound_settings, previous_pseudonyms, site_options
from cds_service.fhir_reading.releases import Release
from cds_service.knowledge.model import Knowledge
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.services.card_memory import CardMemory
from cds_service.services.cytopenia_review import SERVICE_ID, CytopeniaReview, describe
from cds_service.services.fhir_access import ListedServers
from cds_service.services.issued_card import NOTHING_KEPT, IssuedCards
from cds_service.services.pseudonyms import Pseudonyms
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.client_authentication.trusted_clients import TrustedClient


def cytopenia_review(
    settings: Settings,
    knowledge: Knowledge,
    clients: tuple["TrustedClient", ...] = (),
    http: Callable[[OutboundSettings], HttpClient] = HttpClient,
    issued: IssuedCards = NOTHING_KEPT,
) -> CytopeniaReview:
    """The review as the settings want it, for these clients.

    `http` makes what it calls with (the doctor listens); `issued` keeps its cards, by default nothing does.
    """
    budget_seconds = settings.time_budget_ms / 1000
    site = site_options(settings)
    return CytopeniaReview(
        knowledge=knowledge,
        description=describe(knowledge),
        fhir=_fhir_access(settings, clients, http(outbound_settings(settings))),
        site=site,
        deadline=lambda: Deadline.after(budget_seconds),
        memory=CardMemory(
            issued, Pseudonyms(site.fingerprint_key), SERVICE_ID, previous_pseudonyms(settings), settings.mode
        ),
        release=None if settings.fhir_release == "auto" else Release(settings.fhir_release),
    )


def _fhir_access(
    settings: Settings, clients: tuple["TrustedClient", ...], http: HttpClient
) -> Callable[[CdsClient], ListedServers]:
    """Each client's own FHIR servers, and its own memory of what they told; anyone's where nobody is authenticated."""

    def listed(servers: Iterable[str]) -> ListedServers:
        return ListedServers(http, AllowedServers.parse(servers, settings.allow_http))

    anyone = listed(settings.fhir_servers if settings.auth == "off" else ())
    by_client = {trusted.client: listed(trusted.fhir_servers) for trusted in clients}
    return lambda client: by_client.get(client, anyone)
