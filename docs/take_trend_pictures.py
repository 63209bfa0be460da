"""Take the pictures of the trend app anew: launched from the sandbox, wide and narrow, light and dark.

`python -m docs.take_trend_pictures` (from the project's root; Debian's chromium is needed).
"""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.builders.running_sandbox import launch_url, running

PICTURES = Path(__file__).parent / "pictures"
PATIENT = "lars-eksempel"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDE: ViewportSize = {"width": 1280, "height": 1020}
NARROW: ViewportSize = {"width": 360, "height": 1020}
Scheme = Literal["light", "dark"]
TAKEN: tuple[tuple[str, ViewportSize, Scheme], ...] = (
    ("trend-wide-light", WIDE, "light"),
    ("trend-wide-dark", WIDE, "dark"),
    ("trend-narrow-light", NARROW, "light"),
    ("trend-narrow-dark", NARROW, "dark"),
)


def main() -> None:
    """Start the sandbox, launch the app in each look, read out the newest result, write the picture."""
    with running() as (_, sandbox, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for name, viewport, scheme in TAKEN:
            _take(browser, sandbox, PICTURES / f"{name}.png", viewport, scheme)
        browser.close()


def _take(browser: Browser, sandbox: str, picture: Path, viewport: ViewportSize, scheme: Scheme) -> None:
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    page.goto(launch_url(sandbox, PATIENT))
    page.locator(".trend-plot:visible").focus()
    page.screenshot(path=picture)
    page.close()


if __name__ == "__main__":
    main()
