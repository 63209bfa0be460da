"""The page in a real browser: narrow and wide, light and dark, on paper, by keyboard, and in shades of grey."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.names import read_names
from cds_service.feedback_summary.observed import ObservedCard, Period, Report
from cds_service.feedback_summary.page import render_page
from cds_service.feedback_summary.summing import summarise
from cds_service.knowledge.loader import SHIPPED
from cds_service.knowledge.wording import load_wording
from tests.builders.feedback_history import Told, synthetic_history
from tests.builders.observed import RULES
from tests.sandbox.chromium import Watched, launched

CSS = Path(__file__).parents[2] / "cds_service" / "feedback_summary" / "templates" / "summary.css"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    names = read_names(load_wording(SHIPPED).sentences)
    cards = sorted(map(_observed, synthetic_history()), key=lambda card: (str(card.client), card.fingerprint))
    file = tmp_path_factory.mktemp("page") / "summary.html"
    file.write_text(render_page(MadeSummary(Period(), RULES, summarise(cards, RULES)), names), encoding="utf-8")
    return file.as_uri()


def _observed(told: Told) -> ObservedCard:
    card = told.card
    reports = tuple(Report(entry.outcome, entry.outcome_timestamp, received) for received, entry in told.reports)
    return ObservedCard(
        card.client,
        card.finding,
        card.indicator,
        card.fingerprint,
        card.issued_at,
        card.shown,
        card.quieted_by,
        reports,
    )


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")], ids=str)
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    watched = Watched(context.new_page(), address)
    watched.page.goto(address)
    yield watched.page
    context.close()
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.browser
def test_nothing_is_wider_than_the_window_even_with_every_table_open(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    too_wide = page.evaluate(
        "[...document.querySelectorAll('figure table, figure svg')]"
        ".filter(one => one.getBoundingClientRect().right > one.closest('figure').getBoundingClientRect().right)"
        ".map(one => one.textContent.trim().slice(0, 60))"
    )
    assert too_wide == []


@pytest.mark.browser
def test_plots_are_drawn_and_their_writing_can_be_read(page: Page) -> None:
    plots = page.get_by_role("img")
    assert plots.count() == 9
    heights = page.evaluate(
        "[...document.querySelectorAll('[role=img] text')].filter(one => one.textContent)"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert len(heights) > 80
    assert min(heights) > 9, "in pixels"


@pytest.mark.browser
def test_text_stands_out_from_what_is_behind_it(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('body *:not(svg *)')]
          .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
          .map(one => {
            let behind = one;
            const clear = 'rgba(0, 0, 0, 0)';
            while (getComputedStyle(behind).backgroundColor === clear) behind = behind.parentElement;
            return [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor];
          })"""
    )
    assert len(pairs) > 100
    assert min(_contrast(_rgb(ink), _rgb(paper)) for ink, paper in pairs) >= 4.5


@pytest.mark.browser
def test_on_paper_every_table_is_open(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    cell = page.locator("details tbody td").first
    assert not cell.is_visible()
    page.emulate_media(media="print")
    assert cell.is_visible()
    page.close()


@pytest.mark.browser
def test_a_table_is_opened_by_keyboard(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("one", "other", "at_least"),
    [
        ("on-accepted", "accepted", 4.5),
        ("on-overridden", "overridden", 4.5),
        ("ink-soft", "surface", 4.5),
        ("overridden-ink", "surface", 3),
        ("edge", "surface", 3),
        ("hatch", "surface", 3),
        ("accepted", "overridden", 3),
    ],
)
def test_what_is_drawn_is_told_apart_by_lightness_alone(theme: str, one: str, other: str, at_least: float) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS.read_text(encoding="utf-8"), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", blocks[0] + (blocks[1] if theme == "dark" else "")))
    assert _contrast(_hex(colours[one]), _hex(colours[other])) >= at_least


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(float(part) for part in re.findall(r"[\d.]+", colour)[:3])


def _hex(colour: str) -> tuple[float, ...]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return tuple(int(digits[at : at + 2], 16) for at in (0, 2, 4))


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[float, ...]) -> float:
    channels = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
