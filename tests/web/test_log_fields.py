"""Every line and every member of it is explained in docs/operations/log-fields.md, and nothing else is."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.request import PatientViewContext
from cds_service.services.registry import CallFacts
from cds_service.web.request_log import CallRecord, describe_call

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations/log-fields.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `([a-z-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
WRITERS = {"write_line", "_tell", "_write"}
FULL = CallRecord(
    received_at=datetime(2026, 1, 15, tzinfo=UTC),
    endpoint="call",
    client=CdsClient("https://ehr.example.org", "north"),
    service="cytopenia-review",
    hook_instance="0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11",
    facts=CallFacts(
        verdicts={"leukopenia": "present"},
        card_ids=("0f8fad5b-d9cb-469f-a165-70867728950e",),
        indicator="warning",
        knowledge_version="synthetic",
        fetched={"counts": 1.0},
        not_available=("medications",),
        set_aside={"unit-missing": 1},
        finding="leukopenia",
        quieted_by="unchanged",
        withheld="silent",
        memory_available=False,
    ),
    feedback_entries=1,
    refused="RequestInvalid",
    refusal_reason="expired",
    rate_limit="unknown",
    about=PatientViewContext("Practitioner/Marker", "Marker"),
    audit="lost",
    status=200,
)


def _documented(event: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", SECTIONS[event], re.MULTILINE))


def _written() -> dict[str, tuple[set[str], str]]:
    """Each event in the code: the members named where it is written, and the text of its module."""
    found: dict[str, tuple[set[str], str]] = {}
    for path in (ROOT / "cds_service").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or len(node.args) < 3 or not isinstance(node.args[1], ast.Constant):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in WRITERS and (path.name != "library_logs.py" or node.args[1].value == "library"):
                keys = [key for part in ast.walk(node.args[2]) if isinstance(part, ast.Dict) for key in part.keys]
                members = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
                found[str(node.args[1].value)] = (members, text)
    return found


def test_every_event_has_a_section_and_every_section_an_event() -> None:
    assert set(SECTIONS) == set(_written())


@pytest.mark.parametrize("event", sorted(set(_written()) - {"call"}))
def test_every_member_of_an_event_is_explained(event: str) -> None:
    members, module = _written()[event]
    documented = _documented(event)
    assert members <= documented
    assert all(f'"{member}"' in module for member in documented)


def test_every_member_of_a_call_is_explained_and_has_a_value_somewhere() -> None:
    line = describe_call(FULL)
    assert set(line) == _documented("call")
    assert "Marker" not in str(line), "patient and user are for the audit trail only"
    assert "Marker" not in repr(FULL)
