"""What a clinician reads, word for word: one golden card for each situation and each special wording.

`pytest tests/cards --update-golden` writes them anew; the difference is then to be read by someone who knows medicine.
"""

import json
from pathlib import Path

import pytest

from cds_service.cds_hooks.cards import Card
from cds_service.cds_hooks.response_json import encode_response
from cds_service.hematology.verdicts import Situation
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.charts_for_cards import CALLER
from tests.cards.situations import SITUATIONS

GOLDEN = Path(__file__).parent / "golden"


def as_page(card: Card) -> str:
    """A card as a page of Markdown."""
    suggestions = [f"- {one.label}{' (recommended)' if one.is_recommended else ''}" for one in card.suggestions]
    return "\n".join(
        (f"# {card.summary}", "", f"`{card.indicator}`", "", card.detail, "Suggestions:", "", *suggestions, "")
    )


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_card_reads_as_agreed(name: str, request: pytest.FixtureRequest) -> None:
    response = SITUATIONS[name].response()
    (card,) = response.cards
    body = json.loads(encode_response(response))
    assert_response_conforms(body, CALLER.patient_id)
    pages = {f"{name}.md": as_page(card), f"{name}.json": json.dumps(body, indent=1, ensure_ascii=False) + "\n"}
    for file, text in pages.items():
        if request.config.getoption("--update-golden"):
            (GOLDEN / file).write_text(text, encoding="utf-8")
        assert (GOLDEN / file).read_text(encoding="utf-8") == text, "run with --update-golden and read the difference"


def test_no_golden_card_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(SITUATIONS)


def test_every_situation_of_the_indicator_table_has_one() -> None:
    alerts = [chart.assessment.alert for chart in SITUATIONS.values()]
    assert {alert.situation for alert in alerts if alert} == set(Situation)
