"""Suggestions: draft ServiceRequests a clinician may take over. Knows no finding by name, only which orders to draft.

Valid FHIR R4 and R4B (ServiceRequest: status, intent, code, subject, authoredOn, reasonCode, reasonReference, note).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.cds_hooks.cards import Action, Suggestion, Whole
from cds_service.knowledge.model import OrderCode
from cds_service.services.card_wording import Wording
from cds_service.services.fingerprint import suggestion_id

REPEAT = "repeat"
_ORDERS = {
    REPEAT: ("cbc-with-differential", "peripheral-smear"),
    "liver": ("liver-panel",),
    "ultrasound": ("abdominal-ultrasound",),
    "ultrasound-liver": ("abdominal-ultrasound-liver",),
    "referral": ("hematology-referral",),
}
"""The suggestions a card can make, and the orders in each."""
_CODED_AS = {"abdominal-ultrasound-liver": "abdominal-ultrasound"}
"""Orders that share another one's code and differ in their words."""
_REASONS_AT_MOST = 4


@dataclass(frozen=True)
class DraftFacts:
    """What every draft of one card says: for whom, when, why, and the results behind it."""

    patient_id: str
    authored_on: str
    reason: str
    note: str
    references: tuple[str, ...]
    hook_instance: str
    fingerprint: str


class OrderDrafts:
    """Drafts the orders of one site; what all drafts of an order have in common is made once."""

    def __init__(self, codes: Mapping[str, OrderCode], words: Wording) -> None:
        self._labels = {name: words.plain(f"suggestions.{name}") for name in _ORDERS}
        self._orders = {
            name: [(words.plain(f"orders.{order}"), _request(order, codes, words)) for order in orders]
            for name, orders in _ORDERS.items()
        }
        """By suggestion: what each of its orders is called, and the part of the request that no card changes."""

    def suggestions(self, names: Iterable[str], facts: DraftFacts) -> tuple[Suggestion, ...]:
        """The named suggestions, in the order given; the repeat of the counts is the recommended one."""
        told = _told(facts)
        return tuple(
            Suggestion(
                uuid=suggestion_id(facts.hook_instance, facts.fingerprint, name),
                label=self._labels[name],
                actions=tuple([Action("create", text, Whole(request | told)) for text, request in self._orders[name]]),
                is_recommended=name == REPEAT,
            )
            for name in names
        )


def _request(order: str, codes: Mapping[str, OrderCode], words: Wording) -> dict[str, object]:
    code, text = codes[_CODED_AS.get(order, order)], words.plain(f"orders.{order}")
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": [{"system": code.system, "code": code.code, "display": code.display}], "text": text},
    }


def _told(facts: DraftFacts) -> dict[str, object]:
    """What every request of one card says."""
    told: dict[str, object] = {
        "subject": {"reference": f"Patient/{facts.patient_id}"},
        "authoredOn": facts.authored_on,
        "reasonCode": [{"text": facts.reason}],
        "note": [{"text": facts.note}],
    }
    references = [{"reference": reference} for reference in facts.references[:_REASONS_AT_MOST]]
    return told | ({"reasonReference": references} if references else {})
