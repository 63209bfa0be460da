"""A synthetic call before the first real one, so that no one waits for what is imported and compiled on first use.

Knows the least of a chart that walks through all rooms; its answer is thrown away.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.request import CdsRequest, PatientViewContext
from cds_service.knowledge.model import LabUse
from cds_service.services.cytopenia_review import HOOK, CytopeniaReview
from cds_service.services.issued_card import NOTHING_KEPT
from cds_service.services.prefetch_templates import COUNTS, PATIENT

_PATIENT = "synthetic"
_INSTANCE = "00000000-0000-0000-0000-000000000000"


def warm_up(review: CytopeniaReview, as_of: datetime) -> CdsResponse:
    """Answer one call about a made-up chart: a count near zero of each kind, so that a card is composed.

    Returns:
        The answer, for whoever doubts it.
    """
    prefetch = {
        PATIENT: {"resourceType": "Patient", "id": _PATIENT, "birthDate": "1970-01-01"},
        COUNTS: {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": resource} for resource in _resources(review, as_of)],
        },
    }
    context = PatientViewContext(user_id="Practitioner/synthetic", patient_id=_PATIENT)
    forgetful = replace(review, memory=replace(review.memory, issued=NOTHING_KEPT))
    response, _ = forgetful.answer(CdsRequest(HOOK, _INSTANCE, context, prefetch=prefetch), ANYONE, as_of)
    return response


def _resources(review: CytopeniaReview, as_of: datetime) -> Iterator[dict[str, object]]:
    subject = {"reference": f"Patient/{_PATIENT}"}
    for kind in ("Condition", "MedicationRequest"):
        yield {"resourceType": kind, "id": "synthetic", "subject": subject, "code": {"text": "synthetic"}}
    for code in review.knowledge.lab_codes.values():
        if code.use is LabUse.COUNT:
            yield {
                "resourceType": "Observation",
                "id": code.code,
                "status": "final",
                "code": {"coding": [{"system": code.system, "code": code.code}]},
                "subject": subject,
                "effectiveDateTime": as_of.isoformat(),
                "valueQuantity": {"value": Decimal("0.1"), "system": "http://unitsofmeasure.org", "code": "10*9/L"},
            }
