"""The app over HTTP, as a Flask blueprint under /smart. Decides nothing: launches, reading and words are others'.

A browser is known by a signed cookie that holds nothing but a random number; a visit by an unguessable address that
opens for its own browser only. So charts of several patients stay apart in several tabs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from authlib.common.security import generate_token
from flask import (
    Blueprint,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as AnyResponse

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.errors import DataNotAvailable, StoreUnavailable
from cds_service.cds_hooks.request import PatientViewContext
from cds_service.smart_app.chart_page import ChartPage, ChartReader
from cds_service.smart_app.launching import SmartLaunches
from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.trend_view.page import STATIC
from cds_service.trend_view.view import Range
from cds_service.web.request_log import SMART_APP, current_call

_STATUS = {
    Trouble.SERVER_NOT_LISTED: 502,
    Trouble.NO_CONFIGURATION: 502,
    Trouble.EHR_REFUSED: 502,
    Trouble.EHR_UNAVAILABLE: 502,
    Trouble.NO_DATA: 502,
    Trouble.IDENTITY: 502,
}
"""Any other is a 403."""
_LONGEST_PARAMETER = 8000
_OWN_STATIC = Path(__file__).parent / "static"
_COOKIE = "cds-smart"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


@dataclass(frozen=True)
class SmartSite:
    """What the routes serve; `secure`: the site is reached over https, so that the cookie goes nowhere else."""

    launches: SmartLaunches
    charts: ChartReader
    cookie_key: bytes
    clock: Callable[[], datetime]
    secure: bool


def create_smart_blueprint(site: SmartSite) -> Blueprint:
    """The app's pages."""
    views = _Views(site)
    app = Blueprint("smart", __name__, url_prefix="/smart", template_folder="templates")
    app.add_url_rule("/launch", view_func=views.launch)
    app.add_url_rule("/callback", view_func=views.callback)
    app.add_url_rule("/charts/<visit_id>", view_func=views.chart)
    app.add_url_rule("/charts/<visit_id>/results.csv", view_func=views.results)
    app.add_url_rule("/static/<path:filename>", view_func=views.static)
    app.register_error_handler(LaunchFailed, views.trouble)
    app.register_error_handler(DataNotAvailable, views.no_data)
    app.register_error_handler(StoreUnavailable, views.no_store)
    app.after_request(views.protect)
    return app


class _Views:
    def __init__(self, site: SmartSite) -> None:
        self._site = site
        self._cookies = URLSafeSerializer(site.cookie_key, salt="cds-smart-browser")
        embedders = site.launches.embedders()
        self._embedded = bool(embedders)
        self._cookie = f"__Host-{_COOKIE}" if site.secure else _COOKIE
        self._policy = _POLICY.format(ancestors=" ".join(embedders) or "'none'")

    def launch(self) -> AnyResponse:
        """The EHR opens the app (`iss`, `launch`), or somebody opens it for an EHR (`iss` alone)."""
        browser = self._browser() or str(generate_token(32))
        launch = request.args.get("launch") or None
        if launch is not None and len(launch) > _LONGEST_PARAMETER:
            raise LaunchFailed(Trouble.NOT_REGISTERED)
        url = self._site.launches.begin(request.args.get("iss", ""), launch, browser, self._now())
        answer = make_response(redirect(url, 302))
        self._set_cookie(answer, browser)
        return answer

    def callback(self) -> AnyResponse:
        """The browser is back from the authorization server."""
        visit_id = self._site.launches.complete(request.args.to_dict(), self._browser(), self._now())
        return redirect(url_for(".chart", visit_id=visit_id), 303)

    def chart(self, visit_id: str) -> str:
        """The page of a visit."""
        page, looked_at = self._read(visit_id)
        ranges = {one.value: url_for(".chart", visit_id=visit_id, range=one.value) for one in Range}
        csv_url = url_for(".results", visit_id=visit_id, range=looked_at.value)
        return render_template(
            "smart/chart.html",
            page=page,
            say=self._site.charts.words.plain,
            trend=self._site.charts.render_trend(page, ranges, csv_url),
        )

    def results(self, visit_id: str) -> Response:
        """The results as CSV."""
        page, _ = self._read(visit_id)
        answer = Response(self._site.charts.csv(page), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = "attachment; filename=results.csv"
        return answer

    def static(self, filename: str) -> Response:
        """Style sheets and scripts, from this room or the trend's."""
        folder = _OWN_STATIC if (_OWN_STATIC / filename).name in {"smart.css", "smart.js"} else STATIC
        g.smart_static = True
        return send_from_directory(folder, filename)

    def trouble(self, failed: LaunchFailed) -> tuple[str, int]:
        """A launch or a visit that can't go on, in plain words."""
        current_call().refused = f"smart-{failed.trouble}"
        return self._trouble_page(failed.trouble), _STATUS.get(failed.trouble, 403)

    def no_data(self, _: DataNotAvailable) -> tuple[str, int]:
        """The EHR's FHIR server didn't give what is needed."""
        return self.trouble(LaunchFailed(Trouble.NO_DATA))

    def no_store(self, _: StoreUnavailable) -> tuple[str, int]:
        """Nothing can be remembered just now."""
        current_call().refused = "StoreUnavailable"
        return self._trouble_page("not-now"), 503

    def protect(self, response: Response) -> Response:
        """The app's own policy; frames only where a registration allows them (which stands above X-Frame-Options)."""
        response.headers["Content-Security-Policy"] = self._policy
        if g.get("smart_static"):
            response.headers["Cache-Control"] = "max-age=300"
        return response

    def _read(self, visit_id: str) -> tuple[ChartPage, Range]:
        now = self._now()
        visit = self._site.launches.visit(visit_id, self._browser(), now)
        asked = request.args.get("range", Range.YEAR.value)
        looked_at = Range(asked) if asked in {one.value for one in Range} else Range.YEAR
        record = current_call()
        record.client, record.service = CdsClient(visit.fhir_server), SMART_APP
        record.about = PatientViewContext(visit.user or "", visit.grant.patient_id)
        page = self._site.charts.read(visit, looked_at, now)
        record.facts = page.facts
        return page, looked_at

    def _trouble_page(self, trouble: str) -> str:
        return render_template("smart/trouble.html", say=self._site.charts.words.plain, trouble=trouble)

    def _now(self) -> datetime:
        return self._site.clock()

    def _browser(self) -> str | None:
        try:
            told = self._cookies.loads(request.cookies.get(self._cookie, ""))
        except BadSignature:
            return None
        return told if isinstance(told, str) else None

    def _set_cookie(self, answer: AnyResponse, browser: str) -> None:
        """In an EHR's frame the app is a third party: its cookie must say that it may travel there.

        The prefix `__Host-` keeps a neighbour under the same domain from planting one (RFC 6265bis, 4.1.3).
        """
        answer.set_cookie(
            self._cookie,
            str(self._cookies.dumps(browser)),
            httponly=True,
            secure=self._site.secure,
            samesite="None" if self._embedded and self._site.secure else "Lax",
            path="/",
            partitioned=self._embedded and self._site.secure,
        )
