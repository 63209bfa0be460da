"""The alert rules: valid, each tried where it must speak and where not, each with an entry in the runbook."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.fhir_reading.outcomes import Outcome
from tests.builders.counted import metric_names
from tests.builders.prometheus import FOLDER, ROOT, parse_errors, promtool, rules

RUNBOOK = (ROOT / "docs/operations/alerts.md").read_text(encoding="utf-8")
METRICS_PAGE = (ROOT / "docs/operations/metrics.md").read_text(encoding="utf-8")
TESTS = sorted(path.name for path in FOLDER.glob("*.test.yml"))
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def test_rules_and_configuration_are_valid() -> None:
    checked = promtool("check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", TESTS)
def test_alerts_speak_where_they_must_and_nowhere_else(name: str) -> None:
    tried = promtool("test", "rules", name)
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_every_alert_is_tried_where_it_must_speak() -> None:
    cases: list[dict[str, Any]] = []
    for name in TESTS:
        for group in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["tests"]:
            cases += group.get("alert_rule_test", [])
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == set(ALERTS)


def test_every_alert_has_a_runbook_entry_and_every_entry_an_alert() -> None:
    entries = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert list(entries) == list(ALERTS)
    for entry in entries.values():
        assert re.findall(r"^\*\*([\w ]+)\*\*:", entry, re.MULTILINE) == ["Means", "Look first", "Helps"]


def test_every_alert_points_to_its_entry_in_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    places = {f"docs/operations/alerts.md#{heading.lower().replace(' ', '-')}" for heading in headings}
    pointed = {name: rule["annotations"].get("runbook") for name, rule in ALERTS.items()}
    assert set(pointed.values()) == places
    assert all(name.lower() in str(place) for name, place in pointed.items())


def test_every_alert_says_how_grave_it_is_and_what_is_wrong() -> None:
    for rule in ALERTS.values():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"].endswith((".", "?"))


def test_rules_ask_for_metrics_and_outcomes_that_there_are() -> None:
    asked = {name for rule in rules() for name in re.findall(r"\bcds_\w+", rule["expr"])}
    assert asked - {"cds_results_"} <= metric_names()
    outcomes = {
        one
        for rule in rules()
        for many in re.findall(r'outcome=~?"([\w|-]+)"', rule["expr"])
        for one in many.split("|")
    }
    assert outcomes <= {one.value for one in Outcome} | {"overridden"}


def test_every_query_of_the_pages_can_be_parsed(tmp_path: Path) -> None:
    queries = re.findall(r"`([^`]*cds_\w+[^`]*[()][^`]*)`", METRICS_PAGE + RUNBOOK)
    queries = [query.replace("\\|", "|") for query in queries]  # escaped in a table
    assert len(queries) > 20
    assert parse_errors(queries, tmp_path) == ""
