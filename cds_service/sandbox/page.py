"""The chart page over HTTP, as a Flask blueprint: the patients, one opened chart, and the tabs beside it."""

from flask import Blueprint, Response, abort, redirect, request, send_from_directory, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as Redirect

from cds_service.sandbox.chart_room import ChartRoom
from cds_service.sandbox.ehr import EhrError
from cds_service.sandbox.feedback_form import read_feedback
from cds_service.sandbox.page_changes import add_changes
from cds_service.sandbox.page_frame import PageFrame
from cds_service.sandbox.situation import read_situation
from cds_service.sandbox.tabs import TABS
from cds_service.trend_view.card_markdown import render_detail
from cds_service.trend_view.page import STATIC

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def create_page_blueprint(room: ChartRoom) -> Blueprint:
    """The page at `/`; a chart at `/patients/<id>` or `/?patient=<id>`. Works without JavaScript."""
    frame = PageFrame(room)
    views = _Views(frame)
    page = Blueprint(
        "sandbox", __name__, template_folder="templates", static_folder="static", static_url_path="/sandbox/static"
    )
    page.add_url_rule("/sandbox/trend/<path:filename>", view_func=views.trend_static)
    page.add_url_rule("/", view_func=views.patients)
    page.add_url_rule("/patients/<patient_id>", view_func=views.open_chart)
    page.add_url_rule("/visits/<hook_instance>", view_func=views.reopen)
    page.add_url_rule(f"/visits/<hook_instance>/<any({','.join(TABS)}):tab>", view_func=views.reopen)
    page.add_url_rule("/visits/<hook_instance>/launch", view_func=views.launch)
    page.add_url_rule("/visits/<hook_instance>/cards/<card_uuid>", view_func=views.react, methods=["POST"])
    add_changes(page, frame)
    page.register_error_handler(NotFound, views.not_found)
    page.register_error_handler(HTTPException, views.refused)
    page.add_app_template_filter(render_detail, "card_markdown")
    page.before_request(_from_this_page_only)
    page.after_request(_protect)
    return page


class _Views:
    def __init__(self, frame: PageFrame) -> None:
        self._frame = frame
        self._room = frame.room

    def trend_static(self, filename: str) -> Response:
        return send_from_directory(STATIC, filename)

    def patients(self) -> Response | Redirect:
        asked = request.args.get("patient")
        return redirect(url_for(".open_chart", patient_id=asked)) if asked else self._frame.show("welcome.html")

    def open_chart(self, patient_id: str) -> Response:
        if patient_id not in self._room.patients():
            return self._frame.trouble(404, "There is no patient with this id on the FHIR server.")
        try:
            visit = self._room.open(patient_id, read_situation(request.args), request.args.get("before", ""))
        except EhrError as error:
            return self._frame.trouble(502, str(error), patient_id)
        return self._frame.tab("chart", visit)

    def reopen(self, hook_instance: str, tab: str = "chart") -> Response:
        return self._frame.tab(tab, self._frame.visit(hook_instance))

    def launch(self, hook_instance: str) -> Redirect:
        seconds = request.args.get("seconds", 3600, int)
        url = self._frame.visit(hook_instance).launch_url(request.args.get("answer", "grant"), seconds)
        return redirect(url, 303)

    def react(self, hook_instance: str, card_uuid: str) -> Response | Redirect:
        visit = self._frame.visit(hook_instance)
        card = next((card for card in visit.exchange.cards if card.get("uuid") == card_uuid), None) or abort(404)
        entry, reaction = read_feedback(card, request.form) or abort(404)
        try:
            self._room.report(visit, entry)
        except EhrError as error:
            return self._frame.trouble(502, str(error), visit.patient_id)
        self._room.visits.react(visit, card_uuid, reaction)
        return redirect(url_for(".reopen", hook_instance=hook_instance, _anchor=f"card-{card_uuid}"), 303)

    def not_found(self, _: Exception) -> Response:
        return self._frame.trouble(404, "This chart is no longer open. Please open it again.")

    def refused(self, error: HTTPException) -> Response:
        return self._frame.trouble(error.code or 500, error.description or error.name)


def _from_this_page_only() -> None:
    """What changes something is asked for by this page or by a program, not by another site's page."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        abort(403, "Please use the form on this page.")


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store" if response.mimetype == "text/html" else "no-cache"
    return response
