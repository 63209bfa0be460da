"""The chart page over HTTP, as a Flask blueprint: a list of patients, one chart, and what is done with its cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Redirect

from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.chart_reading import read_chart
from cds_service.sandbox.chart_view import GROUPS, ChartView, ListedPatient, chart_view, listed_patients
from cds_service.sandbox.ehr import Ehr, EhrError
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fixtures import FixtureIndex
from cds_service.sandbox.visits import Reaction, Visit, Visits
from cds_service.services.card_wording import Wording
from cds_service.trend_view.card_markdown import render_detail
from cds_service.trend_view.page import STATIC, render_trends
from cds_service.trend_view.view import compose_trends

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_COMMENT_LIMIT = 1000


@dataclass(frozen=True)
class ChartRoom:
    """What the page works with."""

    ehr: Ehr
    index: FixtureIndex
    store: FhirStore
    knowledge: Knowledge

    def patients(self) -> dict[str, ListedPatient]:
        """Who can be opened, by id."""
        return listed_patients(self.index, self.store)

    def view(self, visit: Visit) -> ChartView:
        """What the page shows of a visit."""
        listed = self.patients().get(visit.patient_id) or ListedPatient(visit.patient_id, visit.patient_id)
        now = datetime.now(UTC)
        trends = compose_trends(read_chart(self.store, visit.patient_id, self.knowledge, now), self.knowledge)
        trend = render_trends(trends, Wording(self.knowledge.wording))
        return chart_view(listed, visit, self.store.find("Patient", visit.patient_id) or {}, trend, now.date())


def create_page_blueprint(room: ChartRoom) -> Blueprint:
    """The page at `/`; a chart at `/patients/<id>` or `/?patient=<id>`. Works without JavaScript."""
    views = _Views(room)
    page = Blueprint(
        "sandbox", __name__, template_folder="templates", static_folder="static", static_url_path="/sandbox/static"
    )
    page.add_url_rule("/sandbox/trend/<path:filename>", view_func=views.trend_static)
    page.add_url_rule("/", view_func=views.patients)
    page.add_url_rule("/patients/<patient_id>", view_func=views.open_chart)
    page.add_url_rule("/visits/<hook_instance>", view_func=views.reopen)
    page.add_url_rule("/visits/<hook_instance>/cards/<card_uuid>", view_func=views.react, methods=["POST"])
    page.register_error_handler(NotFound, views.not_found)
    page.add_app_template_filter(render_detail, "card_markdown")
    page.after_request(_protect)
    return page


class _Views:
    def __init__(self, room: ChartRoom) -> None:
        self._room = room
        self._visits = Visits()

    def trend_static(self, filename: str) -> Response:
        return send_from_directory(STATIC, filename)

    def patients(self) -> Response | Redirect:
        asked = request.args.get("patient")
        return redirect(url_for(".open_chart", patient_id=asked)) if asked else self._show("welcome.html")

    def open_chart(self, patient_id: str) -> Response:
        if patient_id not in self._room.patients():
            return self._trouble(404, "There is no patient with this id on the FHIR server.")
        try:
            visit = Visit(patient_id, self._room.ehr.open_chart(patient_id))
        except EhrError as error:
            return self._trouble(502, str(error), patient_id)
        self._visits.keep(visit)
        return self._chart(visit)

    def reopen(self, hook_instance: str) -> Response:
        return self._chart(self._visits.find(hook_instance) or abort(404))

    def react(self, hook_instance: str, card_uuid: str) -> Response | Redirect:
        visit = self._visits.find(hook_instance) or abort(404)
        card = next((card for card in visit.exchange.cards if card.get("uuid") == card_uuid), None) or abort(404)
        entry, reaction = _feedback(card, request.form)
        try:
            self._room.ehr.send_feedback([entry])
        except EhrError as error:
            return self._trouble(502, str(error), visit.patient_id)
        self._visits.react(visit, card_uuid, reaction)
        return redirect(url_for(".reopen", hook_instance=hook_instance, _anchor=f"card-{card_uuid}"), 303)

    def not_found(self, _: Exception) -> Response:
        return self._trouble(404, "This chart is no longer open. Please open it again.")

    def _chart(self, visit: Visit) -> Response:
        return self._show("chart.html", current=visit.patient_id, chart=self._room.view(visit))

    def _trouble(self, status: int, trouble: str, current: str = "") -> Response:
        return self._show("trouble.html", status, current=current, trouble=trouble)

    def _show(self, template: str, status: int = 200, **values: object) -> Response:
        html = render_template(f"sandbox/{template}", patients=self._room.patients(), groups=GROUPS, **values)
        return Response(html, status, content_type="text/html; charset=utf-8")


def _feedback(card: Mapping[str, Any], form: Mapping[str, str]) -> tuple[dict[str, object], Reaction]:
    """The feedback entry for what was chosen in a card's form (CDS Hooks, Feedback), and how the page remembers it."""
    entry: dict[str, object] = {
        "card": card["uuid"],
        "outcomeTimestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    suggestion = form.get("suggestion")
    if suggestion is not None:
        if suggestion not in {one.get("uuid") for one in card.get("suggestions", ())}:
            abort(404)
        accepted = {"outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}]}
        return entry | accepted, Reaction("accepted", suggestion=suggestion)
    comment = form.get("comment", "").strip()[:_COMMENT_LIMIT]
    reasons, chosen = card.get("overrideReasons", ()), form.get("reason", "")
    reason = reasons[int(chosen)] if chosen.isdecimal() and int(chosen) < len(reasons) else None
    said: dict[str, object] = ({"reason": reason} if reason else {}) | ({"userComment": comment} if comment else {})
    overridden = {"outcome": "overridden"} | ({"overrideReason": said} if said else {})
    return entry | overridden, Reaction("overridden", reason=reason["display"] if reason else "", comment=comment)


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store" if response.mimetype == "text/html" else "no-cache"
    return response
