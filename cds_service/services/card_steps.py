"""Part 4 of a card's detail: next steps, cheapest first, and which of them are suggested as draft orders."""

from collections.abc import Iterator

from cds_service.hematology.clinical_picture import Downgrade
from cds_service.hematology.verdicts import Finding, Situation, Verdict
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_wording import Markdown
from cds_service.services.order_drafts import REPEAT

_WORKED_UP = {Situation.BICYTOPENIA, Situation.CRITICAL}
"""Where two low counts are worked up. The criteria ask for few suggestions: a mild fall of both (often an infection
passing) and counts that a recorded therapy, marrow disease or transplant may explain are to be repeated first, and only
then looked into."""


def step_lines(facts: CardFacts) -> tuple[Markdown, ...]:
    """The next steps to consider."""
    return tuple(facts.words.markdown(f"steps.{name}") for name in _steps(facts))


def suggested_orders(facts: CardFacts) -> tuple[str, ...]:
    """The suggestions that fit: the repeat always, the work-up where both counts are low and nothing explains it."""
    return (REPEAT, *_workup(facts))


def _workup(facts: CardFacts) -> tuple[str, ...]:
    """What both counts low ask for beside the repeat, cheapest first; of an absent spleen no picture is asked for."""
    if facts.alert.situation not in _WORKED_UP or facts.alert.leading is not Finding.BICYTOPENIA:
        return ()
    return ("liver", "ultrasound-liver" if facts.spleen_recorded_absent else "ultrasound", "referral")


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
    yield from _workup(facts)
