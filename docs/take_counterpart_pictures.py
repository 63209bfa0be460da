"""Take the pictures of the public CDS Hooks Sandbox and SMART Launcher anew, in headless Chromium.

`python docs/take_counterpart_pictures.py` (from the project's root; Debian's chromium is needed), once everything runs
as docs/how-to/cds-hooks-sandbox.md ("with tokens") and docs/how-to/smart-launcher.md say. Other hosts aren't reached.
"""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
SANDBOX, LAUNCHER, SERVICE = "http://127.0.0.1:8081", "http://127.0.0.1:8082", "http://127.0.0.1:8001"
FHIR = "http://127.0.0.1:8000/sandbox/fhir"
PATIENT = "amara-okafor"
# A driver that intercepts requests would answer CORS preflights itself; this keeps other hosts away without it.
HERE_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", HERE_ONLY]


def main() -> None:
    """A card in the one, a launch and the app in the other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        picture_card(browser)
        picture_launch(browser)
        browser.close()


def picture_card(browser: Browser) -> None:
    """The chart in the CDS Hooks Sandbox, with the card."""
    page = opened(browser, 1040, 600)
    asked = {"fhirServiceUrl": FHIR, "patientId": PATIENT, "serviceDiscoveryURL": f"{SERVICE}/cds-services"}
    page.goto(f"{SANDBOX}/?{urlencode(asked)}")
    page.get_by_role("button", name="Dismiss", exact=True).wait_for()
    page.screenshot(path=PICTURES / "cds-hooks-sandbox.png")


def picture_launch(browser: Browser) -> None:
    """The launcher's form, and the app in its simulated EHR."""
    page = opened(browser, 1000, 700)
    page.goto(LAUNCHER)
    page.locator("#patient").fill(PATIENT)
    page.locator("#encounter").select_option("MANUAL")
    page.locator("[name=sim_ehr]").check()
    page.locator("#launch-url").fill(f"{SERVICE}/smart/launch")
    page.screenshot(path=PICTURES / "smart-launcher.png")
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Launch", exact=True).click()
    ehr = opening.value
    ehr.set_viewport_size({"width": 1000, "height": 560})
    frame = ehr.frame_locator("#frame")
    frame.get_by_role("button", name="Launch without encounter").click()
    frame.get_by_role("heading", name="Counts", exact=True).wait_for()
    ehr.screenshot(path=PICTURES / "smart-launcher-ehr.png")


def opened(browser: Browser, width: int, height: int) -> Page:
    """A page of a context of its own, so that nothing is remembered."""
    return browser.new_context(viewport={"width": width, "height": height}, color_scheme="light").new_page()


if __name__ == "__main__":
    main()
