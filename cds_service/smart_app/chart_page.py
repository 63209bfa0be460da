"""The app's page of one chart: the trend, and beside it what the service makes of it in the card's own words.

Reads and judges through the service; knows no HTTP and no OAuth.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from cds_service.cds_hooks.cards import Card
from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.request import AccessToken, CdsRequest, FhirAuthorization, PatientViewContext
from cds_service.hematology.verdicts import Assessment
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_composer import Withheld
from cds_service.services.card_wording import Wording
from cds_service.services.chart_text import clean_text
from cds_service.services.cytopenia_review import HOOK, Reviewed, facts_of
from cds_service.services.prefetch_templates import PATIENT
from cds_service.services.registry import CallFacts
from cds_service.smart_app.sessions import Visit
from cds_service.trend_view.card_markdown import render_detail
from cds_service.trend_view.page import render_trends, trends_csv
from cds_service.trend_view.view import Range, TrendView, compose_trends

Review = Callable[[CdsRequest, CdsClient, datetime], Reviewed]
_USER = "Practitioner/app"
"""Where the EHR doesn't say who looks, the app shows what a clinician's card says."""


@dataclass(frozen=True)
class ChartPage:
    """What the page says. `person` is a line for the banner, None where the EHR shows its own.

    `no_card` says why there is none. `facts` are for the log and the audit trail.
    """

    person: str | None
    card: Card | None
    no_card: str
    detail: Markup
    findings: tuple[tuple[str, str], ...]
    not_available: tuple[str, ...]
    trend: TrendView
    seen_at: str
    facts: CallFacts


@dataclass(frozen=True)
class ChartReader:
    """Reads a visit's chart through the service."""

    review: Review
    knowledge: Knowledge

    @property
    def words(self) -> Wording:
        """The words of the pages."""
        return Wording(self.knowledge.wording)

    def read(self, visit: Visit, looked_at: Range, now: datetime) -> ChartPage:
        """The page of a visit's patient.

        Raises:
            cds_service.cds_hooks.errors.DataNotAvailable: the EHR didn't give what is needed.
        """
        reviewed = self.review(_request(visit), ANYONE, now)
        assessment, words = reviewed.assessment, self.words
        card = next(iter(reviewed.response.cards), None)
        withheld = reviewed.withheld if assessment.alert or reviewed.withheld is Withheld.AUDIENCE else None
        return ChartPage(
            person=_person(reviewed) if visit.grant.need_patient_banner else None,
            card=card,
            no_card=words.plain(f"smart.withheld.{withheld}") if withheld else words.plain("smart.no-card"),
            detail=render_detail(card.detail or "") if card else Markup(),
            findings=() if withheld is Withheld.AUDIENCE else tuple(_findings(assessment, words)),
            not_available=tuple(words.plain(f"smart.kinds.{kind}") for kind in assessment.picture.not_available),
            trend=compose_trends(assessment, self.knowledge, looked_at),
            seen_at=now.strftime("%Y-%m-%d %H:%M UTC"),
            facts=facts_of(reviewed, self.knowledge.version),
        )

    def render_trend(self, page: ChartPage, ranges: Mapping[str, str], csv_url: str) -> Markup:
        """The drawing and the table of a page."""
        return render_trends(page.trend, self.words, ranges, csv_url)

    @staticmethod
    def csv(page: ChartPage) -> str:
        """The page's results as CSV."""
        return trends_csv(page.trend)


def _request(visit: Visit) -> CdsRequest:
    """A chart opening as a CDS client would tell it, without prefetch: all is read from the EHR's FHIR server."""
    return CdsRequest(
        hook=HOOK,
        hook_instance=str(uuid.uuid4()),
        context=PatientViewContext(visit.user or _USER, visit.grant.patient_id),
        fhir_server=visit.fhir_server,
        fhir_authorization=FhirAuthorization(AccessToken(visit.grant.access_token)),
    )


def _findings(assessment: Assessment, words: Wording) -> list[tuple[str, str]]:
    return [
        (words.plain(f"smart.findings.{one.finding}"), words.plain(f"smart.verdicts.{one.verdict}"))
        for one in assessment.findings
    ]


def _person(reviewed: Reviewed) -> str:
    """Name and birth date as the chart has them (cleaned): enough to see whose chart this is."""
    entries = reviewed.gathered.entries.get(PATIENT, ())
    patient = next((entry.resource for entry in entries if entry.resource.get("resourceType") == "Patient"), {})
    names = patient.get("name")
    first = next((name for name in names if isinstance(name, Mapping)), {}) if isinstance(names, list) else {}
    given = first.get("given")
    parts = [*(part for part in given if isinstance(part, str))] if isinstance(given, list) else []
    whole = first.get("text") or " ".join([*parts, str(first.get("family") or "")])
    return ", ".join(clean_text(str(part)) for part in (whole, patient.get("birthDate"), patient.get("id")) if part)
