"""docs/security.md speaks of code and tests that exist, and of every room that faces others."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PROPERTIES, _, THREATS = PAGE.partition("## Threats")
ROWS = [row.split("|")[1:-1] for row in PROPERTIES.splitlines() if row.startswith("| ") and "| code |" not in row]
FACING_OTHERS = ("web", "client_authentication", "outbound", "cds_hooks", "records", "audit", "smart_app")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip()[:60])
def test_a_property_names_code_and_a_test_that_exist(row: list[str]) -> None:
    _, code, tests = row
    named = re.findall(r"`([^`]+)`", code)
    assert named
    assert not [path for path in named if not (ROOT / path).is_file()]
    proofs = re.findall(r"`([^`]+)`", tests)
    assert proofs
    for proof in proofs:
        path, _, name = proof.partition("::")
        assert path.startswith("tests/")
        assert (ROOT / path).is_file(), f"{path} is gone"
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{proof} is gone"


@pytest.mark.parametrize("room", FACING_OTHERS)
def test_every_room_that_faces_others_holds_a_property(room: str) -> None:
    assert f"`cds_service/{room}/" in PROPERTIES


def test_every_threat_says_what_is_done() -> None:
    rows = [row.split("|")[1:-1] for row in THREATS.splitlines() if row.startswith("| **")]
    assert len(rows) > 15
    assert all(done.strip() for _, done, _ in rows)
