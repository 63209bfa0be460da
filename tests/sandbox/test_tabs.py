"""The tabs of a chart for everybody: phone and desktop, light and dark, by keyboard, without JavaScript, audited."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.builders.running_sandbox import running

PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABS = ("chart", "results", "situation", "traffic", "discovery", "feedback", "app")
UNUSUAL = "client=2.0&prefetch.conditions=drop&fhir.conditions=503"

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as (_, url, _):
        yield url


@pytest.fixture(scope="module")
def visit(url: str) -> str:
    """An opened chart with a card, in an unusual situation, with a card overridden: every tab has something to show."""
    opened = requests.get(f"{url}/patients/lars-eksempel?{UNUSUAL}", timeout=20).text
    card = re.search(r'action="(/visits/[^/]+)(/cards/[^"]+)"', opened)
    assert card
    requests.post(f"{url}{card[1]}{card[2]}", data={"comment": "synthetic"}, timeout=20)
    return url + card[1]


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(**({"viewport": DESKTOP} | getattr(request, "param", {})))
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    assert found["passes"], "axe ran"
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=lambda p: p["color_scheme"]
)
@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_on_any_tab(page: Page, visit: str, tab: str) -> None:
    page.goto(f"{visit}/{tab}")
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    assert violations(page) == []


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=lambda p: p["color_scheme"]
)
def test_axe_finds_nothing_on_the_first_page(page: Page, url: str) -> None:
    page.goto(url)
    assert violations(page) == []


@pytest.mark.parametrize("page", [{"viewport": PHONE}], indirect=True, ids=["phone"])
@pytest.mark.parametrize("tab", TABS)
def test_a_phone_scrolls_no_tab_sideways(page: Page, visit: str, tab: str) -> None:
    page.goto(f"{visit}/{tab}")
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["no JavaScript"])
def test_everything_is_chosen_without_javascript(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/amara-okafor")
    page.get_by_role("link", name="Situation").click()
    page.get_by_role("radio", name="1.0").check()
    counts = page.get_by_role("group", name=re.compile("^counts"))
    counts.get_by_label("In the call").select_option(label="left out")
    counts.get_by_label("The FHIR server").select_option(label="503 Service Unavailable")
    page.get_by_role("button", name="Open the chart so").click()
    expect(page.get_by_role("alert")).to_contain_text("status-503")
    page.get_by_role("link", name="Open as usual").click()
    page.get_by_role("link", name="Edit results").click()
    page.get_by_role("form").first.get_by_label("Value").fill("see comment")
    page.get_by_role("form").first.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Changed.")).to_be_visible()


def test_a_result_is_changed_by_keyboard_alone(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/rosa-mostra")
    page.get_by_role("link", name="Edit results").focus()
    page.keyboard.press("Enter")
    page.get_by_role("form").first.get_by_label("Value").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Changed.")).to_be_visible()
    expect(page).to_have_url(re.compile("/patients/rosa-mostra"))


def test_a_bundle_is_dropped(page: Page, url: str) -> None:
    patient = {"resourceType": "Patient", "id": "dora-dropped", "name": [{"text": "Dora Dropped"}]}
    bundle = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]})
    page.goto(url)
    transfer = page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'dora.json')); return data }",
        bundle,
    )
    page.dispatch_event(".import", "drop", {"dataTransfer": transfer})
    expect(page.get_by_role("heading", level=1)).to_have_text("Dora Dropped")


def test_a_call_is_copied_as_curl(page: Page, visit: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{visit}/traffic")
    call = page.get_by_role("article").first
    call.get_by_text("As curl").click()
    call.get_by_role("button", name="Copy").click()
    expect(call.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == call.locator('pre[aria-label="As curl"]').inner_text()


LAUNCHES: list[tuple[str, str]] = [
    ("grants what is asked", "Blood counts over time"),
    ("refuses", ""),
    ("grants a narrower scope", ""),
    ("isn’t told a patient", "Choose a patient"),
]


@pytest.mark.parametrize(("choice", "heading"), LAUNCHES, ids=[choice for choice, _ in LAUNCHES])
def test_the_app_is_launched_in_each_situation(page: Page, visit: str, choice: str, heading: str) -> None:
    page.goto(f"{visit}/app")
    page.get_by_role("radio", name=choice).check()
    with page.context.expect_page() as opening:
        page.get_by_role("button", name="Launch").click()
    app = opening.value
    if heading:
        expect(app.get_by_role("heading", level=1)).to_have_text(heading)
    else:
        expect(app).to_have_url(re.compile("/smart/callback"))
        expect(app.get_by_role("heading", level=1)).not_to_have_text("Blood counts over time")


def test_discovery_is_shown_as_the_service_told_it(page: Page, url: str, visit: str) -> None:
    told: dict[str, Any] = requests.get(f"{url}/cds-services", timeout=20).json()
    page.goto(f"{visit}/discovery")
    assert json.loads(page.locator('pre[aria-label="Discovery"]').text_content() or "") == told


def test_another_sites_page_changes_nothing(visit: str) -> None:
    form = {"test": "http://loinc.org|777-3", "value": "1", "unit": "10*9/L", "status": "final"}
    refused = requests.post(f"{visit}/results", data=form, headers={"Sec-Fetch-Site": "cross-site"}, timeout=20)
    assert refused.status_code == 403
    assert "Please use the form on this page." in refused.text
