"""Take the README's picture anew: the sandbox's page with one patient open, in headless Chromium.

`python docs/take_picture.py` (from the project's root; Debian's chromium is needed).
"""

import socket
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "pictures" / "card.png"
PATIENT = "amara-okafor"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main() -> None:
    """Start the sandbox, open the patient, write the picture."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cds_service", "sandbox", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        next(line for line in server.stdout if "http://" in line)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.goto(f"http://127.0.0.1:{port}/?patient={PATIENT}")
            page.wait_for_load_state("networkidle")
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE)
            browser.close()
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
