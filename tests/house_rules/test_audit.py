"""The audit says what an advisory service knows of the locked packages, and never calls silence a clean bill."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"
FLAW = {
    "id": "PYSEC-0000-1",
    "affected": [
        {
            "package": {"name": "flask", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Speaks OSV's query API and knows of flaws in one package, or of none."""

    flawed = "flask"

    def do_POST(self) -> None:
        """Answer one query."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": [FLAW]} if asked["package"]["name"] == self.flawed else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep silent."""


@pytest.fixture
def advisories() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()


def _audit(url: str, folder: Path, **environment: str) -> tuple[str, int]:
    command = [sys.executable, str(SCRIPT), "--osv-url", url, "--cache-dir", str(folder)]
    told = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert not told.stderr
    return told.stdout, told.returncode


def test_a_known_vulnerability_fails(advisories: str, tmp_path: Path) -> None:
    told, code = _audit(advisories, tmp_path)
    assert code == 1
    assert "flask" in told
    assert "PYSEC-0000-1" in told


def test_no_known_vulnerability_is_said_of_so_many_packages(
    advisories: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Advisories, "flawed", None)
    told, code = _audit(advisories, tmp_path)
    assert code == 0
    assert told.startswith("audit: no known vulnerability in ")
    assert int(told.split()[5]) > 40


@pytest.mark.parametrize(("required", "code"), [("no", 0), ("required", 1)])
def test_silence_is_called_silence(tmp_path: Path, required: str, code: int) -> None:
    told, returned = _audit("http://127.0.0.1:9/v1/query", tmp_path, AUDIT=required)
    assert told.startswith("audit: NOT DONE")
    assert returned == code
