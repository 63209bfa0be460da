"""The EHR's side of CDS Hooks: discover, fill the prefetch, call `patient-view`, send feedback. Knows no page.

Addresses come from an operator or from the sandbox itself, never out of a request.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from cds_service.outbound.errors import CallFailed
from cds_service.outbound.plain import JsonAnswer, get_json, post_json

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
    """

    service: str
    fhir_server: str
    access_token: str | None = None
    sign: Callable[[str], str] | None = None

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

    def open_chart(self, patient_id: str, service_id: str = SERVICE_ID) -> Exchange:
        """Fire `patient-view` for a patient, with every prefetch key the FHIR server can fill.

        Raises:
            EhrError: server not reachable, or the service isn't offered there.
        """
        context = {"userId": _USER, "patientId": patient_id}
        prefetch, left_out = self._prefetch(self._templates(service_id), context)
        request: dict[str, object] = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": context,
            "fhirServer": self.fhir_server,
        }
        request |= {"prefetch": prefetch} if prefetch else {}
        begun = time.perf_counter()
        answer = self._reach(f"{self.service}/cds-services/{service_id}", request | self._authorization(patient_id))
        return Exchange(request, answer.status, answer.document, 1000 * (time.perf_counter() - begun), left_out)

    def send_feedback(self, entries: Sequence[Mapping[str, object]], service_id: str = SERVICE_ID) -> None:
        """Report what became of cards (CDS Hooks, Feedback).

        Raises:
            EhrError: not reachable, or not taken.
        """
        answer = self._reach(f"{self.service}/cds-services/{service_id}/feedback", {"feedback": list(entries)})
        if answer.status not in (200, 204):
            raise EhrError(f"The feedback wasn't taken ({answer.status}): {outcome_text(answer.document)}")

    def _templates(self, service_id: str) -> Mapping[str, str]:
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
        self, templates: Mapping[str, str], context: Mapping[str, str]
    ) -> tuple[dict[str, object], dict[str, str]]:
        with ThreadPoolExecutor(max_workers=4) as pool:
            answers = pool.map(lambda template: self._fill(template, context), templates.values())
            filled = dict(zip(templates, answers, strict=True))
        left_out = {key: answer for key, answer in filled.items() if isinstance(answer, str)}
        return {key: answer for key, answer in filled.items() if key not in left_out}, left_out

    def _fill(self, template: str, context: Mapping[str, str]) -> object:
        """The resource a template asks for, or, as text, why there is none."""
        query = _TOKEN.sub(lambda token: context.get(token[1], token[0]), template)
        if "{{" in query:
            return "its template has a token this EHR doesn't know"
        try:
            answer = self._fhir(query)
        except EhrError as error:
            return str(error)
        return answer.document if answer.status == 200 else f"the FHIR server answered {answer.status}"

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
        try:
            return get_json(url, headers) if document is None else post_json(url, document, headers)
        except CallFailed as error:
            raise EhrError(f"The CDS service can't be called at {url} ({error.reason}). Is it running?") from error

    def _authorization(self, patient_id: str) -> dict[str, object]:
        if self.access_token is None:
            return {}
        granted = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "cytopenia-cds",
            "patient": patient_id,
        }
        return {"fhirAuthorization": granted}


def outcome_text(document: object) -> str:
    """What an OperationOutcome says, in one line."""
    issues = document.get("issue", ()) if isinstance(document, Mapping) else ()
    details = [issue.get("diagnostics") or issue.get("details", {}).get("text") for issue in issues]
    return " ".join(str(detail) for detail in details if detail) or "no reason given."
