"""The page: self-contained, with every number in words and tables, and no more of the clinic than was asked for."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary import charts
from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.names import Names, read_names
from cds_service.feedback_summary.observed import Comment, ObservedCard, Period, UncountedReports
from cds_service.feedback_summary.page import render_page
from cds_service.feedback_summary.summing import summarise
from cds_service.knowledge.loader import SHIPPED
from cds_service.knowledge.wording import load_wording
from tests.builders.observed import AS_OF, GIVEN, KNOWN, RULES, accepted, card, overridden

NAMES = Names({KNOWN: "already-known"}, {"already-known": "Already known or under care"}, {"leukopenia": "Leukopenia"})
COMMENT = Comment("Synthetic <b>comment</b>", GIVEN, CdsClient(), "card-1", "overridden", "leukopenia", "info", KNOWN)


def page(*cards: ObservedCard, period: Period | None = None, comments: tuple[Comment, ...] | None = None) -> str:
    uncounted = UncountedReports(foreign=3)
    summary = summarise(cards, RULES, uncounted)
    return render_page(MadeSummary(period or Period(), RULES, summary, comments), NAMES)


def text(html: str) -> str:
    """What is read, without the tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|svg).*?</\1>", " ", html, flags=re.DOTALL)).split())


def test_it_fetches_nothing_and_runs_nothing() -> None:
    html = page(card(accepted()))
    assert not re.search(r"<script|<link|<img|<iframe|@import|\bsrc=|\bhref=|\bon\w+=", html)
    assert set(re.findall(r"https?://[^\s\"'<)]+", html)) <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip


def test_each_plot_has_its_words_and_its_numbers() -> None:
    html = page(card(accepted(), fingerprint="1"), card(overridden(), fingerprint="2"), card(fingerprint="3"))
    assert html.count('role="img"') == html.count('<svg aria-hidden="true" xmlns="http://www.w3.org/2000/svg"') == 3
    assert "Leukopenia: share overridden by month, 50\N{NO-BREAK SPACE}% over the whole time" in html
    assert "Leukopenia: of 3 cards shown, 1 accepted, 1 overridden, 1 ignored, 0 waiting." in html
    assert "Leukopenia: 3 cards shown, 0 kept quiet." in html
    read = text(html)
    assert "2026-01 1 of 2 50 % 9 to 91 %" in read, "month, overridden of answered, rate, interval"
    assert "Already known or under care 1 100 %" in read


def test_a_finding_that_nobody_answered_has_no_rate_rather_than_nought() -> None:
    read = text(page(card()))
    assert "Overridden, of those answered – 95 % interval –" in read
    assert "2026-01 0 of 0 – –" in read


def test_a_finding_that_was_only_ever_quiet_is_shown_as_that() -> None:
    assert "0 and 1 quiet" in text(page(card(shown=False, quieted_by="accepted-suggestion")))
    assert "A suggestion was taken over 1" in text(page(card(shown=False, quieted_by="accepted-suggestion")))


def test_it_says_what_it_is_not() -> None:
    read = text(page(card()))
    assert "These are counts, not effects" in read
    assert "Small numbers say little" in read
    assert "holds no patient data" in read
    assert "3 reports about cards that were never issued to that client" in read


def test_comments_are_there_only_when_asked_for_and_as_text() -> None:
    assert "Comments to review" not in page(card())
    html = page(card(), comments=(COMMENT,))
    assert "Synthetic &lt;b&gt;comment&lt;/b&gt;" in html
    assert "May hold patient data." in text(html)
    assert "holds no patient data" not in text(html)


def test_a_clients_name_is_text() -> None:
    assert "<i>" not in page(card(client=CdsClient("https://north.example.org/<i>", "<i>")))


def test_silent_mode_shows_what_would_have_been_and_no_outcome() -> None:
    html = page(card(), card(fingerprint="2", shown=False, quieted_by="already-known"), period=Period("silent"))
    read = text(html)
    assert "What would have been shown" in read
    assert "Cards that would have been shown 1" in read
    assert html.count('role="img"') == 1
    assert "verrid" not in read
    assert "Nobody saw these cards" in read


def test_the_period_is_said() -> None:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert "Given from 2026-01-01 on and before 2026-02-01 (UTC)." in text(page(period=Period("live", since, until)))
    assert "Given before 2026-02-01 (UTC)." in text(page(period=Period("live", None, until)))


def test_without_cards_it_says_so_and_draws_nothing() -> None:
    assert "No cards in this period." in text(page())
    assert 'role="img"' not in page()


def test_of_many_months_the_newest_are_drawn_and_the_rest_is_said() -> None:
    cards = [card(fingerprint=str(n), issued_at=AS_OF - timedelta(days=31 * n)) for n in range(30)]
    read = text(page(*cards))
    assert "6 earlier ones are in the totals only" in read
    assert "2023-" not in read


def test_few_answers_are_marked() -> None:
    few, many = (
        [card(overridden(), fingerprint=str(n)) for n in range(number)] for number in (charts.FEW - 1, charts.FEW)
    )
    hollow = 'fill="var(--surface)" stroke="var(--overridden-ink)"'
    assert page(*few).count(hollow) == page(*many).count(hollow) + 1


def test_findings_and_reasons_are_named_by_the_knowledge() -> None:
    names = read_names(load_wording(SHIPPED).sentences)
    assert names.finding("bicytopenia") == "Bicytopenia"
    known = names.reasons["https://cytopenia-cds.org/CodeSystem/override-reason", "already-known"]
    assert (known, names.display(known)) == ("already-known", "Already known or under care")
    assert len(names.reasons) == len(names.displays) > 5


def test_without_the_drawing_library_it_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(ImportError):
        page(card())
