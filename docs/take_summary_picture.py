"""Take the picture of the feedback summary anew: a synthetic history's page, in headless Chromium.

`python -m docs.take_summary_picture` (from the project's root; Debian's chromium is needed).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "pictures" / "feedback-summary.png"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main() -> None:
    """Keep a history, write its page, and take the picture of the page's top."""
    with tempfile.TemporaryDirectory() as folder:
        records, page_file = Path(folder) / "records.sqlite3", Path(folder) / "summary.html"
        environment = os.environ | {"CDS_DATABASE_URL": f"sqlite:///{records}"}
        make = [sys.executable, "-m", "tests.builders.feedback_history", str(records), "--messages", "1500"]
        tell = [
            sys.executable,
            "-m",
            "cds_service",
            "feedback",
            "summary",
            "--until",
            "2026-11-01",
            "--html",
            str(page_file),
        ]
        for command in (make, tell):
            subprocess.run(command, env=environment, check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 1180, "height": 1080}, color_scheme="light")
            page.goto(page_file.as_uri())
            page.screenshot(path=PICTURE)
            browser.close()


if __name__ == "__main__":
    main()
