"""The charts opened of late: what was exchanged, and what the clinician did with each card. In memory only."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from cds_service.sandbox.calls import Call
from cds_service.sandbox.ehr import SERVICE_ID, Exchange
from cds_service.sandbox.launch_context import STANDALONE, LaunchContext
from cds_service.sandbox.situation import AS_USUAL, Situation
from cds_service.sandbox.watched_tokens import FhirRequest

_KEPT = 64


@dataclass(frozen=True)
class Reaction:
    """What became of a card: a suggestion accepted (its uuid), or overridden (the reason's name, a comment)."""

    outcome: Literal["accepted", "overridden"]
    suggestion: str = ""
    reason: str = ""
    comment: str = ""


@dataclass
class Visit:
    """One opening of a chart, the calls made for it and what was read from the FHIR server meanwhile.

    `reactions` are by card uuid, in the order they happened. `before` is the opening before a change of the chart.
    """

    patient_id: str
    exchange: Exchange
    situation: Situation = AS_USUAL
    calls: list[Call] = field(default_factory=list)
    fhir_requests: list[FhirRequest] = field(default_factory=list)
    before: str = ""
    reactions: dict[str, list[Reaction]] = field(default_factory=dict)

    @property
    def services(self) -> Sequence[Mapping[str, Any]]:
        """What discovery told, which is the first call of an opening."""
        told = self.calls[0].answer if self.calls else None
        return told.get("services", ()) if isinstance(told, Mapping) else ()

    @property
    def templates(self) -> Mapping[str, str]:
        """The prefetch templates of the service that was called."""
        called = (one for one in self.services if one.get("id") == SERVICE_ID)
        return next((one.get("prefetch", {}) for one in called), {})

    @property
    def smart_link(self) -> Mapping[str, str]:
        """The link of its cards that launches a SMART app, empty without one."""
        links = (link for card in self.exchange.cards for link in card.get("links", ()))
        return next((link for link in links if link.get("type") == "smart"), {})

    def launch_url(self, answer: str = "grant", seconds: int = 3600) -> str:
        """Where the SMART app is launched for this chart; what the EHR decides of it is in the handle."""
        link = self.smart_link
        asked = {"iss": str(self.exchange.request["fhirServer"])}
        if answer != STANDALONE:
            context = LaunchContext(self.patient_id, answer, seconds, link.get("appContext", ""))
            asked |= {"launch": context.handle()}
        return f"{link.get('url', '/smart/launch')}?{urlencode(asked)}"

    def reactions_to(self, card: str) -> list[Reaction]:
        """What was done with a card so far."""
        return self.reactions.get(card, [])


class Visits:
    """The latest visits by hook instance. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def keep(self, visit: Visit) -> None:
        """Remember a visit; the oldest goes when there are too many."""
        with self._lock:
            self._visits[visit.exchange.hook_instance] = visit
            while len(self._visits) > _KEPT:
                self._visits.popitem(last=False)

    def find(self, hook_instance: str) -> Visit | None:
        """The visit of a hook instance, None when it is no longer kept."""
        with self._lock:
            return self._visits.get(hook_instance)

    def of_patient(self, patient_id: str) -> list[Visit]:
        """The visits to a patient, newest first."""
        with self._lock:
            return [visit for visit in reversed(self._visits.values()) if visit.patient_id == patient_id]

    def newest(self) -> list[Visit]:
        """Every visit kept, newest first."""
        with self._lock:
            return list(reversed(self._visits.values()))

    def react(self, visit: Visit, card: str, reaction: Reaction) -> None:
        """Note what was done with a card."""
        with self._lock:
            visit.reactions.setdefault(card, []).append(reaction)
