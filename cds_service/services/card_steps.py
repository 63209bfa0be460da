"""Part 4 of a card's detail: next steps, cheapest first, and which of them are suggested as draft orders."""

from collections.abc import Iterator

from cds_service.hematology.clinical_picture import Downgrade
from cds_service.hematology.verdicts import Finding, Situation, Verdict
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_wording import Markdown
from cds_service.services.order_drafts import FULL, REPEAT

_FULL_WORKUP = {Situation.BICYTOPENIA, Situation.CRITICAL}


def step_lines(facts: CardFacts) -> tuple[Markdown, ...]:
    """The next steps to consider."""
    return tuple(facts.words.markdown(f"steps.{name}") for name in _steps(facts))


def suggested_orders(facts: CardFacts) -> tuple[str, ...]:
    """The suggestions that fit: the repeat always, the work-up where both counts are low and nothing explains it."""
    return FULL if _needs_workup(facts) else (REPEAT,)


def _needs_workup(facts: CardFacts) -> bool:
    return facts.alert.situation in _FULL_WORKUP and facts.alert.leading is Finding.BICYTOPENIA


def _steps(facts: CardFacts) -> Iterator[str]:
    situation = facts.alert.situation
    if situation is Situation.CRITICAL:
        yield "same-day"
    if situation in {Situation.CONFLICTING, Situation.NOT_EVALUABLE}:
        yield "ask-laboratory"
    else:
        yield "history"
    if facts.assessment.leukopenia.verdict in {Verdict.PRESENT, Verdict.UNCONFIRMED}:
        yield "symptoms"
    kinds = {kind for kind, _ in facts.alert.downgrades}
    if kinds:
        yield "earlier-counts" if kinds == {Downgrade.BENIGN} else "treating-team"
    unreliable = facts.assessment.thrombocytopenia.verdict is Verdict.UNRELIABLE
    if unreliable:
        yield "citrate"
    yield "repeat"
    if _needs_workup(facts):
        yield from ("liver", "ultrasound", "referral")
