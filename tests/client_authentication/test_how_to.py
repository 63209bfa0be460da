"""docs/how-to/trust-a-client.md, followed by hand: what it says to type does what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cds_service.client_authentication.refusals import Reason
from cds_service.client_authentication.trusted_clients import load_trusted_clients
from tests.builders.ports import free_port
from tests.builders.serving import clean_environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "trust-a-client.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def _blocks(language: str, section: str) -> list[str]:
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [re.sub(r"^ {3}", "", body, flags=re.MULTILINE) for kind, body in BLOCK.findall(text) if kind == language]


def _environment(folder: Path) -> dict[str, str]:
    found = clean_environment(folder, PYTHONPATH=str(ROOT))
    return found | {"PATH": f"{Path(sys.executable).parent}:{found['PATH']}"}


@contextmanager
def _running(command: str, folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        ["sh", "-c", f"exec env {command}"], cwd=folder, env=_environment(folder), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"Serving ")
        yield
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(20)


@pytest.mark.server
def test_the_page_can_be_followed_by_hand(tmp_path: Path) -> None:
    port = str(free_port())
    make, serve, ask, _ = (block.replace("8000", port) for block in _blocks("sh", "Try it by hand"))
    (trusted,) = _blocks("toml", "Try it by hand")
    subprocess.run(["sh", "-ec", make], cwd=tmp_path, env=_environment(tmp_path), check=True)
    folder = tmp_path / "trust"
    (folder / "trusted-clients.toml").write_text(trusted, encoding="utf-8")
    with _running(serve.replace("\\\n", " "), folder):
        ran = subprocess.run(
            ["sh", "-ec", ask], cwd=folder, env=_environment(folder), capture_output=True, text=True, check=True
        )
    assert re.findall(r"HTTP/1\.1 (\d+)", ran.stdout) == ["401", "200", "401"]
    assert '"cytopenia-review"' in ran.stdout


def test_the_clients_of_the_page_can_be_read(tmp_path: Path) -> None:
    blocks = _blocks("toml", "Clients of the field")
    assert len(blocks) == 2
    (tmp_path / "clients.toml").write_text("\n".join(blocks), encoding="utf-8")
    assert len(load_trusted_clients(tmp_path / "clients.toml")) == 2


def test_every_reason_is_explained() -> None:
    table = PAGE.partition("\n## When a client is refused\n")[2]
    explained = {
        reason for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for reason in re.findall(r"`([\w-]+)`", row)
    }
    assert explained == {reason.value for reason in Reason}
