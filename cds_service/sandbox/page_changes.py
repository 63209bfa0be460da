"""What the page changes in the sandbox's charts: results edited and added, a Bundle imported. Only views."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from cds_service.sandbox.page_frame import PageFrame
from cds_service.sandbox.patient_import import MAX_BYTES, ImportRefused, import_bundle
from cds_service.sandbox.result_editing import EditRefused, add_result, change_result
from cds_service.sandbox.visits import Visit


def add_changes(page: Blueprint, frame: PageFrame) -> None:
    """Add the changing views to the page's blueprint."""
    changes = _Changes(frame)
    page.add_url_rule("/import", view_func=changes.take_in, methods=["POST"])
    page.add_url_rule("/visits/<hook_instance>/results", view_func=changes.add, methods=["POST"])
    page.add_url_rule("/visits/<hook_instance>/results/<result_id>", view_func=changes.change, methods=["POST"])


class _Changes:
    def __init__(self, frame: PageFrame) -> None:
        self._frame = frame
        self._room = frame.room

    def add(self, hook_instance: str) -> Response | Redirect:
        visit = self._frame.visit(hook_instance)
        try:
            add_result(self._room.store, visit.patient_id, request.form, self._room.knowledge)
        except EditRefused as refused:
            return self._frame.tab("results", visit, 400, str(refused))
        return _opened_again(visit)

    def change(self, hook_instance: str, result_id: str) -> Response | Redirect:
        visit = self._frame.visit(hook_instance)
        try:
            change_result(self._room.store, visit.patient_id, result_id, request.form)
        except EditRefused as refused:
            return self._frame.tab("results", visit, 400, str(refused))
        return _opened_again(visit)

    def take_in(self) -> Response | Redirect:
        """Import the chosen file; one patient's chart is opened at once."""
        file = request.files.get("bundle")
        data = file.stream.read(MAX_BYTES + 1) if file else b""
        if len(data) > MAX_BYTES:
            return self._frame.trouble(413, f"The file is larger than {MAX_BYTES // 2**20} MiB.")
        today = datetime.now(UTC).date() if request.form.get("recent") else None
        try:
            patients = import_bundle(self._room.store, data, today)
        except ImportRefused as refused:
            return self._frame.trouble(400, str(refused))
        if len(patients) == 1:
            return redirect(url_for("sandbox.open_chart", patient_id=patients[0]), 303)
        return redirect(url_for("sandbox.patients"), 303)


def _opened_again(visit: Visit) -> Redirect:
    """The chart, opened anew in the same situation, so that its card can be held against the one before."""
    query = visit.situation.query
    here = url_for("sandbox.open_chart", patient_id=visit.patient_id, before=visit.exchange.hook_instance)
    return redirect(f"{here}&{query}" if query else here, 303)
