"""From a launch to an open chart, and back to the EHR for more time: the steps in their order. Knows no Flask.

Every step raises `LaunchFailed` with what went wrong, or StoreUnavailable where nothing can be remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authlib.common.security import generate_token

from cds_service.cds_hooks.members import FHIR_ID
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.smart_app.authorization import Traveller, depart, returned_code
from cds_service.smart_app.identity import check_identity
from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.smart_app.registrations import Registered
from cds_service.smart_app.sessions import Sessions, Visit
from cds_service.smart_app.smart_configuration import fetch_configuration
from cds_service.smart_app.tokens import TokenEndpoint

STEP_SECONDS = 5.0
"""How long the EHR may take for one step of a launch."""
VISIT_LIFE = timedelta(hours=8)
_RENEW_BEFORE = timedelta(seconds=30)


@dataclass(frozen=True)
class SmartLaunches:
    """The app at every EHR it is registered with; `redirect_uri` is where a browser comes back to."""

    registrations: Mapping[str, Registered]
    sessions: Sessions
    http: HttpClient
    redirect_uri: str

    def begin(self, fhir_server: str, launch: str | None, browser: str, now: datetime) -> str:
        """The address to send the browser to."""
        registered = self._registered(fhir_server.rstrip("/"))
        configuration = fetch_configuration(self.http, registered.registration, _step())
        departure = depart(registered.registration, configuration, Traveller(launch, browser, self.redirect_uri), now)
        self.sessions.keep_launch(departure.state, departure.pending, now)
        return departure.url

    def complete(self, answer: Mapping[str, str], browser: str | None, now: datetime) -> str:
        """The id of the visit that a returned browser begins; `answer` is what the authorization server told it."""
        pending = self.sessions.take_launch(answer.get("state", ""), now)
        if pending is None or pending.browser != browser or now >= pending.expires_at:
            raise LaunchFailed(Trouble.STALE)
        if pending.issuer is not None and answer.get("iss", pending.issuer) != pending.issuer:
            raise LaunchFailed(Trouble.STALE)  # RFC 9207: another authorization server's answer
        code = returned_code(answer)
        registered = self._registered(pending.fhir_server)
        endpoint = TokenEndpoint(self.http, pending.token_endpoint, registered)
        deadline = _step()
        grant = endpoint.redeem(code, pending.verifier, self.redirect_uri, now, deadline)
        if not FHIR_ID.fullmatch(grant.patient_id):
            raise LaunchFailed(Trouble.NO_PATIENT)
        user = None
        if registered.registration.identity:
            user = check_identity(grant.id_token, pending, registered.registration, self.http, now, deadline)
        visit_id = str(generate_token(43))
        visit = Visit(
            pending.fhir_server,
            pending.token_endpoint,
            pending.browser,
            replace(grant, id_token=None),
            now + VISIT_LIFE,
            user,
        )
        self.sessions.keep_visit(visit_id, visit, now)
        return visit_id

    def visit(self, visit_id: str, browser: str | None, now: datetime) -> Visit:
        """An open visit of this browser, its access renewed when that is due."""
        visit = self.sessions.find_visit(visit_id, now)
        if visit is None or visit.browser != browser or now >= visit.ends_at:
            raise LaunchFailed(Trouble.EXPIRED)
        if now < visit.grant.expires_at - _RENEW_BEFORE:
            return visit
        endpoint = TokenEndpoint(self.http, visit.token_endpoint, self._registered(visit.fhir_server))
        renewed = replace(visit, grant=endpoint.renew(visit.grant, now, _step()))
        self.sessions.keep_visit(visit_id, renewed, now)
        return renewed

    def embedders(self) -> tuple[str, ...]:
        """The origins whose pages may show the app in a frame."""
        return tuple(
            dict.fromkeys(origin for one in self.registrations.values() for origin in one.registration.embedded_by)
        )

    def _registered(self, fhir_server: str) -> Registered:
        found = self.registrations.get(fhir_server)
        if found is None:
            raise LaunchFailed(Trouble.NOT_REGISTERED)
        return found


def _step() -> Deadline:
    return Deadline.after(STEP_SECONDS)
