"""Suggestions: draft ServiceRequests a clinician may take over. Knows no finding by name, only which orders to draft.

Valid FHIR R4 and R4B (ServiceRequest: status, intent, code, subject, authoredOn, reasonCode, reasonReference, note).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.cds_hooks.cards import Action, Suggestion
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


def draft_suggestions(
    names: Iterable[str], facts: DraftFacts, codes: Mapping[str, OrderCode], words: Wording
) -> tuple[Suggestion, ...]:
    """The named suggestions, in the order given; the repeat of the counts is the recommended one."""
    return tuple(
        Suggestion(
            uuid=suggestion_id(facts.hook_instance, facts.fingerprint, name),
            label=words.plain(f"suggestions.{name}"),
            actions=tuple(_action(order, facts, codes, words) for order in _ORDERS[name]),
            is_recommended=name == REPEAT,
        )
        for name in names
    )


def _action(order: str, facts: DraftFacts, codes: Mapping[str, OrderCode], words: Wording) -> Action:
    return Action("create", words.plain(f"orders.{order}"), _service_request(order, facts, codes, words))


def _service_request(
    order: str, facts: DraftFacts, codes: Mapping[str, OrderCode], words: Wording
) -> Mapping[str, object]:
    code = codes[_CODED_AS.get(order, order)]
    request: dict[str, object] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {
            "coding": [{"system": code.system, "code": code.code, "display": code.display}],
            "text": words.plain(f"orders.{order}"),
        },
        "subject": {"reference": f"Patient/{facts.patient_id}"},
        "authoredOn": facts.authored_on,
        "reasonCode": [{"text": facts.reason}],
        "note": [{"text": facts.note}],
    }
    references = [{"reference": reference} for reference in facts.references[:_REASONS_AT_MOST]]
    return request | ({"reasonReference": references} if references else {})
