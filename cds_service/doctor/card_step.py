"""Last step: what the service would answer."""

from cds_service.cds_hooks.errors import CallRefused
from cds_service.doctor.steps import Outcome, Step
from cds_service.services.cytopenia_review import Reviewed

_TITLE = "What a card would say"


def card_step(reviewed: Reviewed) -> Step:
    """The card's headline, or why there is none."""
    assessment, cards = reviewed.assessment, reviewed.response.cards
    verdicts = {finding.finding.value: finding.verdict.value for finding in assessment.findings}
    told = "; ".join(f"{finding}: {verdict.replace('-', ' ')}" for finding, verdict in verdicts.items())
    facts = {"verdicts": verdicts, "indicator": cards[0].indicator if cards else None}
    if cards:
        return Step(_TITLE, Outcome.FINE, (f"{cards[0].indicator}: {cards[0].summary}", f"{told}."), facts=facts)
    if not assessment.picture.counts:
        advice = "Choose a patient with recent blood counts; nothing beyond this can be told from one without."
        return Step(_TITLE, Outcome.PROBLEM, (f"No card, as no count was read. {told}.",), (advice,), facts)
    return Step(_TITLE, Outcome.FINE, (f"No card: there is nothing to say. {told}.",), facts=facts)


def refused_step(refusal: CallRefused) -> Step:
    """The service would refuse the call."""
    says = f"None: the service would refuse the call. {refusal.message}"
    return Step(_TITLE, Outcome.PROBLEM, (says,), facts={"refused": type(refusal).__name__})
