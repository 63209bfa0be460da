"""The chart page in a real browser: a patient is clicked, a card is read, and what is done with it is sent on."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.chromium import Watched
from tests.sandbox.conftest import RunningSandbox

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 860}

pytestmark = pytest.mark.browser


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def page(browser: Browser, sandbox: RunningSandbox, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport=request.param)
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page(), sandbox.url)
    watched.page.goto(sandbox.url)
    yield watched.page
    context.close()
    assert watched.complaints == []
    assert watched.elsewhere == []


def open_chart(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Patients").get_by_role("link", name=name).click()


def test_a_patient_is_clicked_and_the_card_is_read(page: Page) -> None:
    expect(page).to_have_title(re.compile("Patients"))
    open_chart(page, "Amara Okafor-Sample")
    card = page.get_by_role("article")
    expect(card).to_have_count(1)
    expect(card.get_by_role("heading", level=3)).to_contain_text("Leukocytes 2.9, platelets 88")
    expect(card.get_by_text("Warning", exact=True)).to_be_visible()
    expect(card.get_by_role("table")).to_contain_text("2.9 10*3/uL")
    expect(card.get_by_role("link", name="All cause groups")).to_have_attribute("href", re.compile("^https://"))
    drawing = page.get_by_role("group", name="Counts over time")
    expect(drawing.get_by_label(re.compile("^2.9 10"))).to_have_count(1)
    expect(page.get_by_text("Synthetic patients only, not for patient care.")).to_be_visible()


def test_the_curve_is_read_by_keyboard_and_pointer(page: Page) -> None:
    open_chart(page, "Amara Okafor-Sample")
    read_out = page.get_by_role("status").filter(has_text="arrow keys")
    expect(read_out).to_be_visible()
    read_out = page.locator(".trend-readout")
    page.get_by_role("group", name="Counts over time").focus()
    expect(read_out).to_contain_text("2.9 10*3/uL")
    page.keyboard.press("ArrowLeft")
    expect(read_out).to_contain_text("3.1 10*3/uL")
    page.keyboard.press("ArrowDown")
    expect(read_out).to_contain_text("94 10*3/uL")
    page.get_by_label(re.compile("^88 10")).first.locator("visible=true").hover(force=True)
    expect(read_out).to_contain_text("88 10*3/uL")
    expect(read_out).to_contain_text("low, final")


def test_html_in_a_card_is_shown_as_text(page: Page) -> None:
    open_chart(page, "Amara Okafor-Sample")
    expect(page.get_by_text('<b onclick="alert(1)">Not bold</b>')).to_be_visible()


def test_a_quiet_chart_says_so_with_its_verdicts(page: Page) -> None:
    open_chart(page, "Oliver Example")
    expect(page.get_by_role("heading", name="No cards")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Leukopenia")).to_contain_text("absent")
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Bicytopenia")).to_contain_text(
        "not evaluable"
    )
    expect(page.get_by_role("main")).to_contain_text("Results not used: Observation/clotted (value-not-a-quantity).")


def test_a_refusal_of_the_service_is_shown_as_trouble_not_as_quiet(page: Page) -> None:
    open_chart(page, "Walter Vorlage")
    expect(page.get_by_role("alert")).to_contain_text("The service answered 412: The counts could not be had.")
    expect(page.get_by_role("heading", name="No cards")).to_have_count(0)


def test_an_override_with_reason_and_comment_reaches_the_service(page: Page, sandbox: RunningSandbox) -> None:
    open_chart(page, "Amara Okafor-Sample")
    page.get_by_text("Override", exact=True).click()
    page.get_by_label("Reason").select_option(label="Already known and followed")
    page.get_by_label("Comment").fill("seen last week")
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_role("status").filter(has_text="Overridden")).to_contain_text("Already known and followed")
    entry = sandbox.feedback[-1]
    assert (entry["outcome"], entry["overrideReason"]["userComment"]) == ("overridden", "seen last week")
    assert entry["overrideReason"]["reason"]["code"] == "known"
    assert page.locator(f"#card-{entry['card']}").count() == 1


def test_an_accepted_suggestion_becomes_a_draft_order_and_feedback(page: Page, sandbox: RunningSandbox) -> None:
    open_chart(page, "Amara Okafor-Sample")
    page.get_by_role("button", name="Accept: Repeat CBC with differential and smear").click()
    expect(page.get_by_text("Draft order, not signed")).to_be_visible()
    expect(page.get_by_text("CBC W Auto Differential panel - Blood", exact=True)).to_be_visible()
    entry = sandbox.feedback[-1]
    assert entry["outcome"] == "accepted"
    assert len(entry["acceptedSuggestions"]) == 1
    expect(page.get_by_role("button", name="Accept: Abdominal ultrasound")).to_be_visible()


def test_request_and_response_are_folded_away_until_asked_for(page: Page) -> None:
    open_chart(page, "Amara Okafor-Sample")
    page.get_by_role("link", name="Traffic").click()
    call = page.get_by_role("article", name=re.compile("^POST"))
    for name, member in (("Request", "hookInstance"), ("Response", "cards")):
        shown = call.locator(f'pre[aria-label="{name}"]')
        expect(shown).to_be_hidden()
        call.get_by_text(name, exact=True).click()
        expect(shown).to_be_visible()
        assert member in json.loads(shown.inner_text())


def test_everything_can_be_done_by_keyboard(page: Page, sandbox: RunningSandbox) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the main part")).to_be_focused()
    page.get_by_label("Find a patient or a story").focus()
    page.keyboard.type("amara")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Amara Okafor-Sample")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_be_visible()
    summary = page.get_by_text("Override", exact=True)
    for _ in range(120):
        page.keyboard.press("Tab")
        if summary.evaluate("node => node === document.activeElement"):
            break
    assert summary.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send feedback")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Overridden")).to_be_visible()
    assert sandbox.feedback[-1]["outcome"] == "overridden"
    assert "overrideReason" not in sandbox.feedback[-1]


def test_patients_are_found_by_their_story(page: Page) -> None:
    page.get_by_label("Find a patient or a story").fill("cirrhosis low")
    visible = page.get_by_role("navigation", name="Patients").get_by_role("link")
    expect(visible.filter(has_text="Amara Okafor-Sample")).to_be_visible()
    expect(visible.filter(has_text="Oliver Example")).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("found")


@pytest.mark.parametrize("path", ["/", "/patients/amara-okafor", "/patients/oliver-example"])
@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_never_scrolls_sideways(page: Page, sandbox: RunningSandbox, path: str) -> None:
    page.goto(sandbox.url + path)
    if path.endswith("okafor"):
        page.get_by_text("Override", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_deep_link_opens_the_chart(page: Page, sandbox: RunningSandbox) -> None:
    page.goto(f"{sandbox.url}/?patient=lars-eksempel")
    expect(page).to_have_url(f"{sandbox.url}/patients/lars-eksempel")
    expect(page.get_by_text("Critical", exact=True).last).to_be_visible()
    expect(page.locator(".patients [aria-current=page]")).to_contain_text("Lars Eksempel")


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const weights = [0.2126, 0.7152, 0.0722];
  const light = (colour) => weights.reduce((sum, weight, i) => sum + weight * linear(colour[i] / 255), 0);
  const background = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return parse(getComputedStyle(document.body).backgroundColor);
  };
  const failing = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest("svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(background(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) failing.push(`${ratio.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return failing;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/patients/amara-okafor", "/patients/lars-eksempel", "/patients/oliver-example"])
def test_text_stands_out_in_light_and_dark(browser: Browser, sandbox: RunningSandbox, scheme: str, path: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(sandbox.url + path)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 22, 24)"
    failing = page.evaluate(CONTRAST)
    context.close()
    assert dark is (scheme == "dark")
    assert failing == []


def test_the_page_works_without_javascript(browser: Browser, sandbox: RunningSandbox) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(sandbox.url)
    open_chart(page, "Amara Okafor-Sample")
    expect(page.get_by_role("article")).to_contain_text("Leukocytes 2.9, platelets 88")
    context.close()


def test_headings_and_landmarks_are_in_order(page: Page) -> None:
    open_chart(page, "Amara Okafor-Sample")
    levels = page.evaluate("[...document.querySelectorAll('main :is(h1,h2,h3,h4,h5,h6)')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    for landmark in ("banner", "main", "search"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    for name in ("Patients", "This chart"):
        expect(page.get_by_role("navigation", name=name)).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_no_template_holds_inline_script_or_style() -> None:
    for template in (Path(__file__).parents[2] / "cds_service/sandbox/templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src=)", text), template.name
