"""The EHR's side of CDS Hooks: discover, fill the prefetch, call `patient-view`, send feedback. Knows no page.

Addresses come from an operator or from the sandbox itself, never out of a request.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cds_service.outbound.errors import CallFailed
from cds_service.outbound.plain import JsonAnswer, get_json, post_json
from cds_service.sandbox.calls import Call
from cds_service.sandbox.hook_clients import HookClient
from cds_service.sandbox.situation import AS_USUAL, Situation

SERVICE_ID = "cytopenia-review"
_TOKEN = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")
_USER = "Practitioner/example"


class EhrError(Exception):
    """The chart couldn't be opened or the feedback not sent; the message is one line for the person who asked."""


@dataclass(frozen=True)
class Exchange:
    """One call of the service: what was sent (the access token left out), what came back, and how long it took.

    `left_out` names the prefetch keys whose query failed, with the reason.
    """

    request: Mapping[str, object]
    status: int
    answer: object
    milliseconds: float
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def response(self) -> Mapping[str, Any]:
        """The answer as an object; empty when it is none."""
        return self.answer if isinstance(self.answer, Mapping) else {}

    @property
    def hook_instance(self) -> str:
        """The id of this invocation."""
        return str(self.request["hookInstance"])

    @property
    def cards(self) -> Sequence[Mapping[str, Any]]:
        """The cards of a successful answer."""
        return self.response.get("cards") or ()

    @property
    def refusal(self) -> str | None:
        """Why the service gave no answer, in its own words; None after a success."""
        return None if self.status == 200 else f"The service answered {self.status}: {outcome_text(self.answer)}"


@dataclass(frozen=True)
class Ehr:
    """An EHR with a FHIR server, subscribed to one CDS service. Both base URLs without a slash at the end.

    `sign` makes the token with which this EHR proves itself to an endpoint of the service, given the endpoint's URL.
    `granted_token` is the access token that the service is given, by default the EHR's own. `heard` is told of each
    call of the service.
    """

    service: str
    fhir_server: str
    access_token: str | None = None
    sign: Callable[[str], str] | None = None
    granted_token: str | None = None
    heard: Callable[[Call], object] = lambda _: None

    def read_patient(self, patient_id: str) -> Mapping[str, Any]:
        """The Patient resource.

        Raises:
            EhrError: server not reachable, or no such patient.
        """
        answer = self._fhir(f"Patient/{patient_id}")
        if answer.status in (404, 410):
            raise EhrError(f"There is no Patient/{patient_id} on the FHIR server at {self.fhir_server}.")
        if answer.status != 200 or not isinstance(answer.document, Mapping):
            raise EhrError(f"The FHIR server answered {answer.status}: {outcome_text(answer.document)}")
        return answer.document

    def open_chart(self, patient_id: str, service_id: str = SERVICE_ID, situation: Situation = AS_USUAL) -> Exchange:
        """Fire `patient-view` for a patient, with every prefetch key the FHIR server can fill and the situation sends.

        Raises:
            EhrError: server not reachable, or the service isn't offered there.
        """
        context = {"userId": _USER, "patientId": patient_id}
        templates = self.templates(service_id)
        wanted = {key: template for key, template in templates.items() if key not in situation.sendings}
        filled, left_out = self._prefetch(wanted, context, situation.client)
        nulls: dict[str, object] = {key: None for key, how in situation.sendings.items() if how == "null"}
        prefetch = filled | {key: null for key, null in nulls.items() if key in templates}
        request: dict[str, object] = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": context,
            "fhirServer": self.fhir_server,
        }
        request |= {"prefetch": prefetch} if prefetch else {}
        granted = self._authorization(patient_id, situation.client)
        begun = time.perf_counter()
        answer = self._reach(f"{self.service}/cds-services/{service_id}", request | granted)
        return Exchange(request, answer.status, answer.document, 1000 * (time.perf_counter() - begun), left_out)

    def send_feedback(self, entries: Sequence[Mapping[str, object]], service_id: str = SERVICE_ID) -> None:
        """Report what became of cards (CDS Hooks, Feedback).

        Raises:
            EhrError: not reachable, or not taken.
        """
        answer = self._reach(f"{self.service}/cds-services/{service_id}/feedback", {"feedback": list(entries)})
        if answer.status not in (200, 204):
            raise EhrError(f"The feedback wasn't taken ({answer.status}): {outcome_text(answer.document)}")

    def templates(self, service_id: str = SERVICE_ID) -> Mapping[str, str]:
        """The prefetch templates by key, as discovery tells them.

        Raises:
            EhrError: server not reachable, or the service isn't offered there.
        """
        url = f"{self.service}/cds-services"
        answer = self._reach(url)
        if answer.status == 401:
            raise EhrError(f"{url} answers trusted clients only; sign with --sign-as.")
        document = answer.document
        services = document.get("services", ()) if isinstance(document, Mapping) else ()
        for service in services:
            if service.get("id") == service_id and service.get("hook") == "patient-view":
                return dict(service.get("prefetch", {}))
        raise EhrError(f"{url} offers no service '{service_id}' for patient-view.")

    def _prefetch(
        self, templates: Mapping[str, str], context: Mapping[str, str], client: HookClient
    ) -> tuple[dict[str, object], dict[str, str]]:
        """What is sent, and why the rest isn't."""
        queries = {
            key: _TOKEN.sub(lambda token: context.get(token[1], token[0]), one) for key, one in templates.items()
        }
        foreign = {key: "its template has a token this EHR doesn't know" for key, one in queries.items() if "{{" in one}
        asked = {key: query for key, query in queries.items() if key not in foreign}
        with ThreadPoolExecutor(max_workers=4) as pool:
            answers = dict(zip(asked, pool.map(self._fill, asked.values()), strict=True))
        failed = {key: answer for key, answer in answers.items() if isinstance(answer, str)}
        sent = {key: _as_sent(answer, client) for key, answer in answers.items() if key not in failed}
        if client.tells_failures:
            return sent | {key: _failure(why) for key, why in failed.items()}, foreign
        return sent, foreign | failed

    def _fill(self, query: str) -> object:
        """The resource a query finds, or, as text, why there is none."""
        try:
            answer = self._fhir(query)
        except EhrError as error:
            return str(error)
        if answer.status != 200:
            return f"the FHIR server answered {answer.status}"
        told = answer.document.get("resourceType") if isinstance(answer.document, Mapping) else None
        return "the FHIR server answered an OperationOutcome" if told == "OperationOutcome" else answer.document

    def _fhir(self, path: str) -> JsonAnswer:
        headers = {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        try:
            return get_json(f"{self.fhir_server}/{path}", headers)
        except CallFailed as error:
            raise EhrError(
                f"The FHIR server at {self.fhir_server} can't be read ({error.reason}). "
                "Is it running, and is this its base URL?"
            ) from error

    def _reach(self, url: str, document: object = None) -> JsonAnswer:
        headers = {"Authorization": f"Bearer {self.sign(url)}"} if self.sign else {}
        at, begun = datetime.now(UTC), time.perf_counter()
        try:
            answer = get_json(url, headers) if document is None else post_json(url, document, headers)
        except CallFailed as error:
            raise EhrError(f"The CDS service can't be called at {url} ({error.reason}). Is it running?") from error
        elapsed = 1000 * (time.perf_counter() - begun)
        method = "GET" if document is None else "POST"
        self.heard(
            Call(
                method, url, answer.sent_headers, document, answer.status, answer.headers, answer.document, elapsed, at
            )
        )
        return answer

    def _authorization(self, patient_id: str, client: HookClient) -> dict[str, object]:
        token = self.granted_token or self.access_token
        if token is None:
            return {}
        granted = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": client.scope,
            "subject": "cytopenia-cds",
        }
        return {"fhirAuthorization": granted | ({"patient": patient_id} if client.names_patient else {})}


def _as_sent(answer: object, client: HookClient) -> object:
    """The resource as a client sends it: nothing found is null for some."""
    empty = isinstance(answer, Mapping) and answer.get("resourceType") == "Bundle" and not answer.get("entry")
    return None if empty and client.empty_as_null else answer


def _failure(why: str) -> dict[str, object]:
    issue = {"severity": "error", "code": "exception", "diagnostics": why}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def outcome_text(document: object) -> str:
    """What an OperationOutcome says, in one line."""
    issues = document.get("issue", ()) if isinstance(document, Mapping) else ()
    details = [issue.get("diagnostics") or issue.get("details", {}).get("text") for issue in issues]
    return " ".join(str(detail) for detail in details if detail) or "no reason given."
