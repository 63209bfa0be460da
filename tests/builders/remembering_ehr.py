"""An EHR that opens one patient's chart over days and reports what became of the cards. Synthetic throughout.

Days count from `chart.AS_OF`: day -3 is three days before it.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from cds_service.app import build_parts, create_app
from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.settings import Settings
from cds_service.web.request_log import log_call
from tests.builders import chart
from tests.builders.behind import written
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE

ASSESSMENT = "org.cytopenia-cds.assessment"
KEY = "a key for tests only, synthetic"
Note = Mapping[str, Any]
Answer = dict[str, Any]


def at(day: float) -> datetime:
    """The point in time."""
    return chart.AS_OF + timedelta(days=day)


def utc(day: float) -> str:
    """The point in time as the extension tells it."""
    return at(day).isoformat().replace("+00:00", "Z")


@dataclass
class Site:
    """A running service over a database of its own; its clock and its caller are set by hand.

    What it writes behind an answer is written before the answer is seen here, unless `write_at_once` is false.
    """

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    day: float = 0.0
    caller: CdsClient = ANYONE
    write_at_once: bool = True

    def __post_init__(self) -> None:
        options = {"auth": "off", "database_url": f"sqlite:///{self.folder}/records.sqlite3", "pseudonym_key": KEY}
        settings = Settings(**(options | self.settings))
        parts = replace(build_parts(settings), authenticate=lambda _authorization, _path: self.caller)
        self.write_rows = parts.write_rows
        write = written(parts)
        observers = (log_call, lambda record: write(record) if self.write_at_once else None)
        app = create_app(settings, clock=lambda: at(self.day), parts=parts, observers=observers)
        self.client: FlaskClient = app.test_client()


@dataclass
class Ehr:
    """One patient's chart in front of a site. `answer` is the last one, `card` the last card shown."""

    site: Site
    notes: list[dict[str, Any]] = field(default_factory=list)
    patient: str = "synthetic-1"
    user: str = "Practitioner/synthetic-p1"
    server: str | None = None
    instance: str = ""
    answer: Answer = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)

    def add(self, notes: Iterable[Note]) -> None:
        """Results and conditions that are in the chart from now on; `day` says of when a result is."""
        for note in notes:
            told = dict(note)
            if "day" in told:
                told["days"] = -told.pop("day")
            self.notes.append({"id": f"n{len(self.notes)}", **told})

    def drop(self, ids: Iterable[str]) -> None:
        """Results that are in the chart no more."""
        gone = set(ids)
        self.notes = [note for note in self.notes if note["id"] not in gone]

    def open_chart(self, day: float, *, again: bool = False) -> Answer:
        """Call the service; `again` repeats the last call with its hook instance."""
        self.site.day = day
        self.instance = self.instance if again else str(uuid.uuid4())
        members = {"fhirServer": self.server} if self.server else {}
        body = chart.call(chart.prefetch(self.notes), hookInstance=self.instance, **members)
        body["context"] = {"userId": self.user, "patientId": self.patient}
        response = self.site.client.post(SERVICE, json=_of_patient(body, self.patient))
        assert response.status_code == 200, response.get_data(as_text=True)
        self.answer = response.get_json()
        assert_response_conforms(self.answer)
        for card in self.answer["cards"]:
            self.card = card
        return self.answer

    @property
    def assessment(self) -> Answer:
        """What machines read of the last answer."""
        told: Answer = self.answer["extension"][ASSESSMENT]
        return told

    def override(self, day: float, reason: str | None, acted: float | None = None) -> None:
        """Report the last card shown as overridden, by the reason's name in its code or none."""
        entry: dict[str, Any] = {"outcome": "overridden"}
        if reason is None:
            entry["overrideReason"] = {"userComment": "synthetic"}
        else:
            entry["overrideReason"] = {"reason": REASONS[reason]}
        self._report(day, acted, entry)

    def accept(self, day: float, suggestion: str, acted: float | None = None) -> None:
        """Report a suggestion taken over: the first whose label begins with the word, or an id."""
        found = [one["uuid"] for one in self.card["suggestions"] if one["label"].lower().startswith(suggestion)]
        self._report(day, acted, {"outcome": "accepted", "acceptedSuggestions": [{"id": (*found, suggestion)[0]}]})

    def _report(self, day: float, acted: float | None, entry: dict[str, Any]) -> None:
        self.site.day = day
        told = {"card": self.card["uuid"], "outcomeTimestamp": utc(day if acted is None else acted), **entry}
        response = self.site.client.post(FEEDBACK, json={"feedback": [told]})
        assert response.status_code == 200, response.get_data(as_text=True)


def _of_patient(part: Any, patient: str) -> Any:
    """The same call about another patient."""
    if isinstance(part, dict):
        return {name: _of_patient(value, patient) for name, value in part.items()}
    if isinstance(part, list):
        return [_of_patient(value, patient) for value in part]
    if part == f"Patient/{chart.PATIENT}":
        return f"Patient/{patient}"
    return patient if part == chart.PATIENT else part


_OURS = "https://cytopenia-cds.org/CodeSystem/override-reason"
_HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
REASONS = {
    "already-known": {"system": _OURS, "code": "already-known"},
    "expected-effect": {"system": _OURS, "code": "expected-effect-of-treatment"},
    "not-relevant": {"system": _HL7, "code": "action-not-priority"},
    "action-completed": {"system": _HL7, "code": "action-completed"},
    "order-exists": {"system": _HL7, "code": "indication-order-exists"},
    "need-more-info": {"system": _HL7, "code": "need-more-info"},
    "result-wrong": {"system": _OURS, "code": "result-not-credible"},
}
"""The override reasons by the names the knowledge gives them."""
