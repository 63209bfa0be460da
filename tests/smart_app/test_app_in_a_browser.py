"""The trend app in a real browser, launched from the real sandbox as a clinician launches it from the EHR."""

import csv
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.builders.running_sandbox import launch_url, medication, put_chart, result, running
from tests.sandbox.chromium import Watched, launched

PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}
WALL: ViewportSize = {"width": 3840, "height": 2160}
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")

pytestmark = [pytest.mark.browser, pytest.mark.server]
OpenApp = Callable[..., Page]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running() as (_, url, _):
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = chromium.new_context(viewport=DESKTOP)
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def open_app(context: BrowserContext, sandbox: str) -> Iterator[OpenApp]:
    """Launches the app for a patient, in a new tab; whatever a tab complains of, or asks for elsewhere, fails."""
    tabs: list[Watched] = []

    def opened(patient: str = "amara-okafor", **decided: Any) -> Page:
        tabs.append(Watched(context.new_page(), sandbox))
        tabs[-1].page.goto(launch_url(sandbox, patient, **decided))
        return tabs[-1].page

    yield opened
    for tab in tabs:
        assert [one for one in tab.complaints if "status of 4" not in one] == []
        assert tab.elsewhere == []


def plot(page: Page) -> Locator:
    return page.get_by_role("group", name="Counts over time").locator("visible=true")


def read_out(page: Page) -> Locator:
    return page.locator(".trend-readout")


def test_from_the_card_to_the_chart(context: BrowserContext, sandbox: str) -> None:
    page = context.new_page()
    page.goto(f"{sandbox}/patients/amara-okafor")
    with context.expect_page() as opening:
        page.locator('a[href*="/smart/launch?"]').first.click()
    app = opening.value
    expect(app).to_have_url(re.compile("/smart/charts/"))
    expect(app.get_by_role("heading", level=1)).to_have_text("Blood counts over time")
    expect(app.get_by_text("Amara Okafor-Sample")).to_be_visible()
    expect(app.get_by_role("article")).to_contain_text("WBC 2.9 (<4.0)")
    expect(plot(app).get_by_label(re.compile("^2.9 10"))).to_have_count(1)
    expect(app.get_by_text("it does not diagnose. Reference limits")).to_be_visible()


def test_opened_by_itself_it_asks_for_a_patient(context: BrowserContext, sandbox: str) -> None:
    page = context.new_page()
    page.goto(f"{sandbox}/smart/launch?iss={sandbox}/sandbox/fhir")
    page.get_by_role("button", name="Ravi Namuna").click()
    expect(page).to_have_url(re.compile("/smart/charts/"))
    expect(page.get_by_text("Ravi Namuna")).to_be_visible()


def test_results_and_medications_are_read_by_keyboard(open_app: OpenApp) -> None:
    page = open_app("lars-eksempel")
    plot(page).focus()
    expect(read_out(page)).to_have_text(
        re.compile(r"^0\.8 10\*3/uL; \d{4}-\d\d-\d\d \d\d:\d\d.*; low, final; Leukocytes \(WBC\)$")
    )
    page.keyboard.press("ArrowLeft")
    expect(read_out(page)).to_contain_text("6.4 10*3/uL")
    page.keyboard.press("ArrowDown")
    expect(read_out(page)).to_contain_text("not low, final; Platelets")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(read_out(page)).to_have_text(re.compile(r"^Clozapine 100 mg.*; \d{4}-\d\d-\d\d – ongoing; Drug effect$"))
    page.keyboard.press("Escape")
    expect(read_out(page)).to_contain_text("arrow keys")


def test_results_and_medications_are_read_by_pointer(open_app: OpenApp) -> None:
    page = open_app("lars-eksempel")
    plot(page).get_by_label(re.compile("^0.8 10")).hover(force=True)
    expect(read_out(page)).to_contain_text("low, final")
    plot(page).get_by_label(re.compile("^Clozapine")).hover(force=True)
    expect(read_out(page)).to_contain_text("ongoing; Drug effect")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP, WALL], ids=["phone", "desktop", "4k"])
@pytest.mark.parametrize("patient", ["amara-okafor", "lars-eksempel", "oliver-example"])
def test_nobody_scrolls_sideways(open_app: OpenApp, viewport: Any, patient: str) -> None:
    page = open_app(patient)
    page.set_viewport_size(viewport)
    page.get_by_text("All values as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drawing = plot(page).bounding_box()
    assert drawing is not None
    assert drawing["width"] > viewport["width"] * 0.4, "the drawing has the room there is"


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    assert found["passes"], "axe ran"
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("patient", "decided"),
    [("amara-okafor", {}), ("oliver-example", {}), ("lars-eksempel", {}), ("amara-okafor", {"answer": "refuse"})],
    ids=["card", "quiet", "critical", "trouble"],
)
def test_axe_finds_nothing(open_app: OpenApp, scheme: Any, patient: str, decided: dict[str, Any]) -> None:
    page = open_app(patient, **decided)
    page.emulate_media(color_scheme=scheme)
    if not decided:
        page.get_by_text("All values as a table").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(14, 22, 24)" if scheme == "dark" else "rgb(246, 248, 248)"
    )
    assert violations(page) == []


def test_low_and_not_low_differ_without_colour(open_app: OpenApp) -> None:
    page = open_app("lars-eksempel")
    paths = plot(page).locator(".mark-symbol").first.locator("path")
    shapes = {
        ("not low" in str(path.get_attribute("aria-label")), str(path.get_attribute("d"))[:6]) for path in paths.all()
    }
    assert {low for low, _ in shapes} == {True, False}
    assert len(shapes) == 2, "one shape for low, another for not low"


def test_on_paper_there_are_the_drawing_and_the_table_in_dark_ink(open_app: OpenApp) -> None:
    page = open_app()
    page.emulate_media(media="print", color_scheme="dark")
    expect(plot(page)).to_have_count(1)
    expect(page.get_by_role("cell", name="2.9 10*3/uL").last).to_be_visible()
    assert page.evaluate("document.querySelector('.trend-table tbody tr').getBoundingClientRect().height") > 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 37, 42)"
    expect(page.get_by_role("button", name="Read again")).to_be_hidden()
    assert page.locator(".trend-ranges a:visible").all_inner_texts() == ["1 year"]


def test_an_expired_access_is_renewed(open_app: OpenApp) -> None:
    page = open_app(seconds=1)
    page.reload()
    expect(page.get_by_role("article")).to_contain_text("WBC 2.9")


def test_an_access_that_cannot_be_renewed_ends_the_session_in_plain_words(open_app: OpenApp) -> None:
    page = open_app(seconds=1, answer="once")
    expect(page.get_by_role("alert")).to_contain_text("This session has ended.")
    expect(page.get_by_role("alert")).to_contain_text("open the app again")


def test_a_refused_scope_is_said_and_nothing_is_shown(open_app: OpenApp) -> None:
    page = open_app(answer="narrow")
    expect(page.get_by_role("alert")).to_contain_text("does not allow reading the blood counts")
    expect(page.get_by_role("group", name="Counts over time")).to_have_count(0)


def test_two_patients_in_two_tabs_stay_apart(open_app: OpenApp) -> None:
    first, second = open_app("amara-okafor"), open_app("ravi-namuna")
    first.reload()
    first.get_by_role("button", name="Read again").click()
    expect(first.locator(".banner")).to_contain_text("Amara")
    expect(first.get_by_role("article")).to_contain_text("WBC 2.9")
    expect(second.locator(".banner")).to_contain_text("Ravi")
    expect(second.get_by_role("article")).to_contain_text("WBC 3.3")


def test_a_new_result_is_read_without_a_reload_and_the_place_is_kept(open_app: OpenApp, sandbox: str) -> None:
    chart = [result("fresh", "wbc", 5.1, 60), result("fresh", "wbc", 3.1, 30)]
    put_chart(sandbox, "fresh", chart)
    page = open_app("fresh")
    page.get_by_text("All values as a table").click()
    plot(page).get_by_label(re.compile("^3.1 10")).hover(force=True)
    page.set_viewport_size({"width": 1280, "height": 300})
    page.evaluate("window.stayed = true; scrollTo(0, 200)")
    put_chart(sandbox, "fresh", [*chart, result("fresh", "wbc", 1.7, 1)])
    page.get_by_role("button", name="Read again").evaluate("button => button.click()")
    expect(plot(page).get_by_label(re.compile("^1.7 10"))).to_have_count(1)
    assert page.evaluate("[window.stayed, scrollY]") == [True, 200]
    expect(page.get_by_role("cell", name="1.7 10*3/uL").first).to_be_visible()
    expect(read_out(page)).to_contain_text("3.1 10*3/uL")
    plot(page).focus()
    page.keyboard.press("End")
    expect(read_out(page)).to_contain_text("1.7 10*3/uL")


def test_a_refresh_after_the_session_ended_keeps_what_is_shown_and_says_so(open_app: OpenApp) -> None:
    page = open_app()
    page.context.clear_cookies()
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_role("status").filter(has_text="session has ended")).to_contain_text("as it was read before")
    expect(page.get_by_role("article")).to_contain_text("WBC 2.9")


def test_one_looks_further_back_and_downloads_what_one_sees(open_app: OpenApp, sandbox: str) -> None:
    put_chart(sandbox, "decade", [result("decade", "plt", 200 - number, 365 * number + 1) for number in range(10)])
    page = open_app("decade")
    expect(page.get_by_role("link", name="1 year")).to_have_attribute("aria-current", "true")
    for name, number in (("3 months", 1), ("All", 10)):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "true")
        expect(plot(page).locator('[aria-roledescription="point"]')).to_have_count(number)
    page.get_by_text("All values as a table").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "results.csv"
    rows = [*csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())]
    assert [row["value"] for row in rows] == [str(200 - number) for number in reversed(range(10))]


def test_of_many_medications_the_latest_are_drawn_whole_and_the_rest_is_told_of(
    open_app: OpenApp, sandbox: str
) -> None:
    names = [f"Clozapine {number} mg tablet with a long name of its own" for number in range(15)]
    drugs = [medication("many", name, 300 - 20 * number) for number, name in enumerate(names)]
    put_chart(sandbox, "many", [result("many", "wbc", 3.1, 2), *drugs])
    page = open_app("many")
    page.set_viewport_size(PHONE)
    expect(page.get_by_text("3 more medications and conditions of note are in the table.")).to_be_visible()
    labels = plot(page).locator(".mark-text.role-mark text", has_text="Clozapine")
    expect(labels).to_have_count(12)
    drawing = plot(page).bounding_box()
    assert drawing is not None
    for label in labels.all():
        box = label.bounding_box()
        assert box is not None
        assert drawing["x"] <= box["x"]
        assert box["x"] + box["width"] <= drawing["x"] + drawing["width"]
    page.get_by_text("All values as a table").click()
    assert set(page.get_by_role("cell", name=re.compile("^Clozapine")).all_inner_texts()) == set(names)


def test_the_page_works_without_javascript(chromium: Browser, sandbox: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(launch_url(sandbox, "amara-okafor"))
    page.get_by_text("All values as a table").click()
    expect(page.get_by_role("cell", name="2.9 10*3/uL").last).to_be_visible()
    expect(page.get_by_role("button", name="Read again")).to_be_hidden()
    context.close()
