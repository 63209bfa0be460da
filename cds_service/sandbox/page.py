"""The chart page over HTTP, as a Flask blueprint: a list of patients, one chart, and what is done with its cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from cds_service.knowledge.model import Knowledge
from cds_service.sandbox.card_markdown import render_detail
from cds_service.sandbox.chart_view import GROUPS, ChartView, ListedPatient, chart_view, listed_patients
from cds_service.sandbox.ehr import Ehr, EhrError
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fixtures import FixtureIndex
from cds_service.sandbox.visits import Reaction, Visit, Visits

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
        return chart_view(listed, visit, self.store, self.knowledge, datetime.now(UTC))


def create_page_blueprint(room: ChartRoom) -> Blueprint:
    """The page at `/`; a chart at `/patients/<id>` or `/?patient=<id>`. Works without JavaScript."""
    page = Blueprint(
        "sandbox", __name__, template_folder="templates", static_folder="static", static_url_path="/sandbox/static"
    )
    visits = Visits()

    def show(template: str, status: int = 200, **values: object) -> Response:
        html = render_template(f"sandbox/{template}", patients=room.patients(), groups=GROUPS, **values)
        return Response(html, status, content_type="text/html; charset=utf-8")

    @page.get("/")
    def patients() -> Response | Redirect:
        asked = request.args.get("patient")
        return redirect(url_for(".open_chart", patient_id=asked)) if asked else show("welcome.html", current="")

    @page.get("/patients/<patient_id>")
    def open_chart(patient_id: str) -> Response:
        if patient_id not in room.patients():
            return show("trouble.html", 404, current="", trouble="There is no patient with this id on the FHIR server.")
        try:
            visit = Visit(patient_id, room.ehr.open_chart(patient_id))
        except EhrError as error:
            return show("trouble.html", 502, current=patient_id, trouble=str(error))
        visits.keep(visit)
        return show("chart.html", current=patient_id, chart=room.view(visit))

    @page.get("/visits/<hook_instance>")
    def reopen(hook_instance: str) -> Response:
        visit = visits.find(hook_instance) or abort(404)
        return show("chart.html", current=visit.patient_id, chart=room.view(visit))

    @page.post("/visits/<hook_instance>/cards/<card_uuid>")
    def react(hook_instance: str, card_uuid: str) -> Response | Redirect:
        visit = visits.find(hook_instance) or abort(404)
        card = next((card for card in visit.exchange.cards if card.get("uuid") == card_uuid), None) or abort(404)
        entry, reaction = _feedback(card, request.form)
        try:
            room.ehr.send_feedback([entry])
        except EhrError as error:
            return show("trouble.html", 502, current=visit.patient_id, trouble=str(error))
        visits.react(visit, card_uuid, reaction)
        return redirect(url_for(".reopen", hook_instance=hook_instance, _anchor=f"card-{card_uuid}"), 303)

    @page.errorhandler(404)
    def not_found(_: Exception) -> Response:
        return show("trouble.html", 404, current="", trouble="This chart is no longer open. Please open it again.")

    page.add_app_template_filter(render_detail, "card_markdown")
    page.after_request(_protect)
    return page


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
