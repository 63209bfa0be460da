"""What the chart page works with: the EHR, its FHIR store, and the charts it opened. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from markupsafe import Markup

from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.calls import Call
from cds_service.sandbox.chart_reading import read_chart
from cds_service.sandbox.chart_view import ChartView, ListedPatient, chart_view, listed_patients
from cds_service.sandbox.ehr import Ehr
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fixtures import FixtureIndex
from cds_service.sandbox.situation import Situation
from cds_service.sandbox.visits import Visit, Visits
from cds_service.sandbox.watched_tokens import Watched, WatchedTokens
from cds_service.services.card_wording import Wording
from cds_service.trend_view.page import render_trends
from cds_service.trend_view.view import compose_trends


@dataclass(frozen=True)
class ChartRoom:
    """One sandbox's charts. `tokens` are those that its FHIR server watches."""

    ehr: Ehr
    index: FixtureIndex
    store: FhirStore
    knowledge: Knowledge
    tokens: WatchedTokens
    visits: Visits = field(default_factory=Visits)

    def patients(self) -> dict[str, ListedPatient]:
        """Who can be opened, by id."""
        return listed_patients(self.index, self.store)

    def open(self, patient_id: str, situation: Situation, before: str = "") -> Visit:
        """Open a chart in a situation; `before` is the hook instance before a change of the chart.

        Raises:
            cds_service.sandbox.ehr.EhrError: server not reachable, or the service isn't offered there.
        """
        templates: Mapping[str, str] = self.ehr.templates() if situation.faults else {}
        watched, calls = Watched(templates, situation.faults), list[Call]()
        ehr = replace(
            self.ehr,
            access_token=self.tokens.give("EHR", watched),
            granted_token=self.tokens.give("service", watched),
            heard=calls.append,
        )
        exchange = ehr.open_chart(patient_id, situation=situation)
        visit = Visit(patient_id, exchange, situation, calls, watched.requests, before)
        self.visits.keep(visit)
        return visit

    def report(self, visit: Visit, entry: Mapping[str, object]) -> None:
        """Send feedback about a card of a visit, if its client knows feedback.

        Raises:
            cds_service.sandbox.ehr.EhrError: not reachable, or not taken.
        """
        if visit.situation.client.gives_feedback:
            replace(self.ehr, heard=visit.calls.append).send_feedback([entry])

    def view(self, visit: Visit) -> ChartView:
        """What the page shows of a visit."""
        listed = self.patients().get(visit.patient_id) or ListedPatient(visit.patient_id, visit.patient_id)
        patient = self.store.find("Patient", visit.patient_id) or {}
        return chart_view(listed, visit, patient, datetime.now(UTC).date())

    def trend(self, patient_id: str) -> Markup:
        """The counts over time, as a part of a page."""
        assessment = read_chart(self.store, patient_id, self.knowledge, datetime.now(UTC))
        return render_trends(compose_trends(assessment, self.knowledge), Wording(self.knowledge.wording))
