"""A card's detail: its parts in their fixed order, laid out by the template `card.md.j2`. Knows no finding."""

from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template

from cds_service.services.card_causes import cause_lines
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_limits import limit_lines
from cds_service.services.card_notices import notice_lines
from cds_service.services.card_results import result_parts
from cds_service.services.card_rules import rule_sentences, thresholds
from cds_service.services.card_steps import step_lines

TEMPLATE = "card.md.j2"


def compose_detail(facts: CardFacts) -> str:
    """The detail as GitHub Flavored Markdown without HTML."""
    rows, result_notes = result_parts(facts)
    return _template(facts.knowledge.templates[TEMPLATE]).render(
        words=facts.words,
        notices=notice_lines(facts),
        rows=rows,
        result_notes=result_notes,
        rule=rule_sentences(facts),
        thresholds=thresholds(facts),
        causes=cause_lines(facts),
        steps=step_lines(facts),
        limits=limit_lines(facts),
    )


@lru_cache(maxsize=8)
def _template(source: str) -> Template:
    # The values are escaped Markdown already; HTML escaping would spoil them.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    return environment.from_string(source)
