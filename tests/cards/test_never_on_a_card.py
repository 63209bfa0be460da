"""The list of what no card may say catches what it should and leaves the rest alone; cards are checked by conftest."""

import re

import pytest

from tests.builders.card_contract import Never, assert_says_nothing_forbidden, names_of_codes, never_said
from tests.cards.situations import SITUATIONS


@pytest.mark.parametrize("never", never_said(), ids=lambda never: never.why)
def test_the_list_catches_and_lets_through(never: Never) -> None:
    for text in never.caught:
        assert never.pattern.search(text), text
    for text in never.let_through:
        assert not never.pattern.search(text), text


def test_a_forbidden_word_in_a_card_is_found() -> None:
    with pytest.raises(AssertionError, match="probability"):
        assert_says_nothing_forbidden("WBC 2.9; likely leukemia")


def test_no_name_of_a_code_speaks_of_race() -> None:
    race = next(never for never in never_said() if never.why == "race")
    assert [name for name in names_of_codes() if race.pattern.search(name)] == []


def test_the_charts_own_words_are_the_charts() -> None:
    assert_says_nothing_forbidden("recorded in this chart: leukemia “probable leukemia, to be confirmed”")


@pytest.mark.parametrize("name", SITUATIONS)
def test_platelets_are_never_called_low_without_their_threshold(name: str) -> None:
    detail = SITUATIONS[name].card.detail
    assert re.search(r"Platelets low: below 150 ×10⁹/L \(site default\)", detail)
    assert re.search(r"Leukocytes low: below 4\.0 ×10⁹/L \(source document\)", detail)


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_converted_value_stands_beside_the_reported_one(name: str) -> None:
    for row in re.findall(r"\| ([^|]*) = [^|]* ×10⁹/L \|", SITUATIONS[name].card.detail):
        assert re.match(r"[<>=]*\d[\d.]* \S", row)


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_threshold_says_where_it_comes_from(name: str) -> None:
    rule = SITUATIONS[name].card.detail.partition("#### Why this card")[2].partition("####")[0]
    bullets = re.findall(r"^- (.*)$", rule, re.MULTILINE)
    assert bullets
    assert all(re.search(r"\((?:source document|site default)\)$", bullet) for bullet in bullets)
