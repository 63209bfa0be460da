"""The sandbox as an integrator uses it, in a real browser: results edited, situations, traffic, import."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders.running_sandbox import running
from tests.sandbox.chromium import Watched

DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
TABS = ("Chart", "Edit results", "Situation", "Traffic", "Discovery", "Feedback", "SMART app")

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as (_, url, _):
        yield url


@pytest.fixture
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(**getattr(request, "param", {"viewport": DESKTOP}))
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page(), url)
    yield watched.page
    context.close()
    assert watched.complaints == []
    assert watched.elsewhere == []


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="This chart").get_by_role("link", name=name).click()


def sent(page: Page) -> dict[str, Any]:
    """The hook call of the chart that is open, as the traffic tab tells it."""
    open_tab(page, "Traffic")
    call = page.get_by_role("article", name=re.compile("^POST"))
    told: dict[str, Any] = json.loads(call.locator('pre[aria-label="Request"]').text_content() or "")
    return told


def test_a_result_is_edited_and_the_card_changes(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/amara-okafor")
    expect(page.get_by_role("article")).to_contain_text("88")
    open_tab(page, "Edit results")
    result = page.get_by_role("form", name=re.compile("amara-okafor-d3-plt"))
    result.get_by_label("Value").fill("12")
    result.get_by_role("button", name="Save").click()
    expect(page.get_by_role("article")).to_contain_text(re.compile("[Pp]latelets 12"))
    expect(page.get_by_role("status").filter(has_text="Changed.")).to_contain_text("(warning)")
    expect(page.get_by_text("Critical", exact=True).last).to_be_visible()


def test_a_result_is_added_to_a_quiet_chart(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/oliver-example")
    expect(page.get_by_role("heading", name="No cards")).to_be_visible()
    open_tab(page, "Edit results")
    adding = page.get_by_role("region", name="Add a result")
    adding.get_by_label("Test").select_option(label="Platelets [#/volume] in Blood by Automated count")
    adding.get_by_label("Value").fill("9")
    adding.get_by_role("button", name="Add result").click()
    expect(page.get_by_role("article")).to_contain_text(re.compile("[Pp]latelets 9"))
    expect(page.get_by_role("status").filter(has_text="Changed.")).to_contain_text("no card")


def test_the_override_quiets_and_is_told_so(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("navigation", name="Patients").get_by_role("link").filter(
        has_text=re.compile("cirrhosis")
    ).first.click()
    page.get_by_text("Override", exact=True).click()
    page.get_by_label("Reason").select_option(index=1)
    page.get_by_role("button", name="Send feedback").click()
    open_tab(page, "Feedback")
    expect(page.get_by_role("main")).to_contain_text("Overridden")
    page.get_by_role("link", name="Open the chart again").click()
    expect(page.get_by_role("heading", name="No cards")).to_be_visible()
    open_tab(page, "Feedback")
    expect(page.get_by_role("region", name="Quieted")).to_contain_text("already-known")


VERSIONS = {"1.0": ("patient/*.read", False), "2.0": ("patient/*.read", True), "3.0": ("patient/*.rs", True)}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_client_version_sends_what_it_may_and_is_answered(page: Page, url: str, version: str) -> None:
    scope, newer = VERSIONS[version]
    page.goto(f"{url}/patients/lars-eksempel")
    open_tab(page, "Situation")
    page.get_by_role("radio", name=version).check()
    page.get_by_role("button", name="Open the chart so").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("Override", exact=True)).to_have_count(1 if newer else 0)
    expect(page.get_by_text("recommended", exact=True)).to_have_count(1 if newer else 0)
    authorization = sent(page)["fhirAuthorization"]
    assert authorization["scope"] == scope
    assert ("patient" in authorization) is newer


def test_a_dropped_key_is_read_by_the_service_itself(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/lars-eksempel?prefetch.counts=drop")
    expect(page.get_by_role("article")).to_have_count(1)
    assert "counts" not in sent(page)["prefetch"]
    read = page.get_by_role("row").filter(has_text="service").filter(has_text="Observation?")
    expect(read.first).to_contain_text("200")


FAULTS = [("503", "status-503"), ("403", "refused access"), ("not-json", "not-fhir-json"), ("too-slow", "in time")]


@pytest.mark.parametrize(("fault", "says"), FAULTS)
def test_a_failure_of_the_fhir_server_is_told_not_taken_for_an_all_clear(
    page: Page, url: str, fault: str, says: str
) -> None:
    page.goto(f"{url}/patients/lars-eksempel?prefetch.counts=drop&fhir.counts={fault}")
    expect(page.get_by_role("alert")).to_contain_text("The service answered 412")
    expect(page.get_by_role("alert")).to_contain_text(says)
    expect(page.get_by_role("heading", name="No cards")).to_have_count(0)
    open_tab(page, "Traffic")
    expect(page.get_by_text("injected").first).to_be_visible()


@pytest.mark.parametrize(("version", "told"), [("1.0", False), ("2.0", True)])
def test_what_the_ehr_couldnt_fetch_is_told_as_its_version_tells_it(
    page: Page, url: str, version: str, told: bool
) -> None:
    page.goto(f"{url}/patients/lars-eksempel?client={version}&fhir.conditions=500")
    expect(page.get_by_role("article")).to_have_count(1)
    outcome = sent(page)["prefetch"].get("conditions", {})
    assert (outcome.get("resourceType") == "OperationOutcome") is told


def test_the_curl_of_a_call_makes_it_again(page: Page, url: str) -> None:
    page.goto(f"{url}/patients/lars-eksempel")
    card = page.get_by_role("article").get_attribute("id")
    open_tab(page, "Traffic")
    call = page.get_by_role("article", name=re.compile("^POST"))
    call.get_by_text("As curl").click()
    command = call.locator('pre[aria-label="As curl"]').inner_text()
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    answer = json.loads(done.stdout)
    assert [f"card-{one['uuid']}" for one in answer["cards"]] == [card]


def test_a_bundle_is_imported_and_its_chart_opened(page: Page, url: str, tmp_path: Path) -> None:
    count = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "subject": {"reference": "urn:uuid:p"},
    }
    quantity = {"valueQuantity": {"value": 9, "unit": "10*9/L"}, "status": "final", "effectiveDateTime": "2019-05-06"}
    patient = {"resourceType": "Patient", "name": [{"text": "Ida Imported"}]}
    entries = [
        {"fullUrl": "urn:uuid:p", "resource": patient},
        {"fullUrl": "urn:uuid:o", "resource": {"resourceType": "Observation"} | count | quantity},
    ]
    bundle = tmp_path / "ida.json"
    bundle.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}), encoding="utf-8")
    page.goto(url)
    page.get_by_label("A FHIR R4 Bundle").set_input_files(bundle)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ida Imported")
    expect(page.get_by_role("article")).to_contain_text(re.compile("[Pp]latelets 9"))
