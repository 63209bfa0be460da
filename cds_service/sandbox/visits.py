"""The charts opened of late: what was exchanged, and what the clinician did with each card. In memory only."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from cds_service.sandbox.ehr import Exchange

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
    """One opening of a chart. `reactions` are by card uuid, in the order they happened."""

    patient_id: str
    exchange: Exchange
    reactions: dict[str, list[Reaction]] = field(default_factory=dict)

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

    def react(self, visit: Visit, card: str, reaction: Reaction) -> None:
        """Note what was done with a card."""
        with self._lock:
            visit.reactions.setdefault(card, []).append(reaction)
