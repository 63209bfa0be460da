"""Cards in a terminal: what a service sends is shown, and can't drive the terminal."""

from io import StringIO

from rich.console import Console

from cds_service.sandbox.ehr import Exchange
from cds_service.sandbox.terminal import print_exchange


def printed(**answer: object) -> str:
    screen = StringIO()
    request = {"hookInstance": "1"}
    print_exchange(Console(file=screen, width=100, force_terminal=True), Exchange(request, 200, answer, 1.0))
    return screen.getvalue()


def test_control_sequences_in_a_card_are_not_passed_on() -> None:
    evil = "\x1b]0;owned\x07 seen \x9b31m"
    links = [{"label": evil, "url": evil}]
    card = {"summary": evil, "detail": evil, "indicator": "info", "source": {"label": evil}, "links": links}
    screen = printed(cards=[card])
    assert "seen" in screen
    for sequence in ("\x1b]0;", "\x07", "\x9b"):
        assert sequence not in screen


def test_square_brackets_are_text_not_markup() -> None:
    assert "[red]low[/red]" in printed(cards=[{"summary": "[red]low[/red]", "indicator": "info", "source": {}}])


def test_a_withheld_card_is_said() -> None:
    extension = {"org.cytopenia-cds.assessment": {"withheld": "deceased"}}
    assert "Card withheld: deceased" in printed(cards=[], extension=extension)


def test_a_quiet_card_is_said() -> None:
    quieted = {"finding": "leukopenia", "by": "already-known", "until": "2026-04-15T12:00:00Z"}
    screen = printed(cards=[], extension={"org.cytopenia-cds.assessment": {"quieted": quieted}})
    assert "Card quiet: leukopenia, by already-known, until 2026-04-15T12:00:00Z" in screen


def test_results_not_used_are_named_with_their_reason() -> None:
    not_used = [{"reference": "Observation/w1", "reason": "unit-missing"}]
    screen = printed(cards=[], extension={"org.cytopenia-cds.assessment": {"notUsed": not_used}})
    assert "Not used: Observation/w1 (unit-missing)" in screen
