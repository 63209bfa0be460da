"""A card's detail: its parts in their fixed order, laid out by the template `card.md.j2`. Knows no finding."""

from jinja2 import Environment, StrictUndefined, Template
from jinja2.nodes import Call, Const, Getattr
from jinja2.visitor import NodeTransformer

from cds_service.services.card_causes import cause_lines
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_limits import limit_lines
from cds_service.services.card_notices import notice_lines
from cds_service.services.card_results import result_parts
from cds_service.services.card_rules import rule_sentences, thresholds
from cds_service.services.card_steps import step_lines
from cds_service.services.card_wording import Wording

TEMPLATE = "card.md.j2"


def detail_layout(source: str, words: Wording) -> Template:
    """The template of the detail, in which the sentences of the knowledge stand already."""
    # The values are escaped Markdown already; HTML escaping would spoil them.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    tree = _Worded(words).visit(environment.parse(source))
    return Template.from_code(environment, environment.compile(tree), {})


def compose_detail(facts: CardFacts) -> str:
    """The detail as GitHub Flavored Markdown without HTML."""
    rows, result_notes = result_parts(facts)
    return facts.layout.render(
        notices=notice_lines(facts),
        rows=rows,
        result_notes=result_notes,
        rule=rule_sentences(facts),
        thresholds=thresholds(facts),
        causes=cause_lines(facts),
        steps=step_lines(facts),
        limits=limit_lines(facts),
    )


class _Worded(NodeTransformer):
    """Puts the sentence in the place of each `words.markdown("its.key")`."""

    def __init__(self, words: Wording) -> None:
        self._words = words

    def visit_Call(self, call: Call) -> Call | Const:  # noqa: N802 (the name is Jinja's)
        """The sentence, of a call that asks for one."""
        match call:
            case Call(node=Getattr(attr="markdown"), args=[Const(value=str(key))]):
                return Const(self._words.markdown(key))
        return call
