"""The command line: instant help, errors in one line, exit codes 0, 1 and 2."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cds_hooks.feedback_report import parse_feedback
from cds_service.cli import main
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from tests.builders.concept_maps import EXAMPLE, LAB, LOINC, concept_map, group, written
from tests.builders.conversation import CARD, overridden

COMMANDS = {
    "audit",
    "check-knowledge",
    "client-key",
    "client-token",
    "doctor",
    "feedback",
    "load",
    "migrate",
    "open-chart",
    "records",
    "sandbox",
    "serve",
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/feedback.sqlite3")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def _assert_one_line(result: Result, exit_code: int, said: str) -> None:
    assert result.exit_code == exit_code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert said in lines[0]


def test_help_names_every_command_and_imports_none() -> None:
    result = _run("--help")
    assert result.exit_code == 0
    assert all(f"  {command} " in result.output for command in COMMANDS)
    show = "print({'flask', 'sqlalchemy', 'gunicorn', 'fhir', 'rich', 'requests'} & {*sys.modules})"
    program = f"import sys, cds_service.cli as c; c.main(['--help'], standalone_mode=False); {show}"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "set()"


def test_a_start_imports_nothing_that_only_some_sites_need() -> None:
    unneeded = "{'redis', 'limits', 'authlib', 'joserfc', 'requests', 'alembic', 'markdown_it'}"
    program = f"import sys, cds_service.serving.start; print({unneeded} & {{*sys.modules}})"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "set()"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_explains_itself(command: str) -> None:
    result = _run(command, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_the_version_names_software_and_knowledge() -> None:
    result = _run("--version")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("cds-service 0.")
    assert ", knowledge 20" in result.stdout


def test_the_version_names_the_sites_concept_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_CONCEPT_MAPS", str(EXAMPLE))
    told = _run("--version").stdout
    assert "+maps:" in told
    assert told.endswith(", concept maps ExampleHospital 2026.1 (13 of 16 codes used)\n")


def test_a_concept_map_that_cannot_be_used_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    faulty = written(tmp_path, concept_map(group(LAB, LOINC, WBC="6690-20")))
    monkeypatch.setenv("CDS_CONCEPT_MAPS", f"{EXAMPLE}, {faulty}")
    monkeypatch.setenv("CDS_AUTH", "off")
    for command in (["serve", "--port", "0"], ["--version"]):
        _assert_one_line(
            _run(*command), 1, "Error: site.json: group[0].element[0].target[0]: the target 6690-20 is in no"
        )


def test_serve_without_authentication_must_be_said() -> None:
    _assert_one_line(_run("serve"), 2, "CDS_TRUSTED_CLIENTS: needed, since CDS_AUTH is required")


def test_a_wrong_setting_stops_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_TIME_BUDGET_MS", "soon")
    for command in (["serve"], ["migrate"], ["feedback", "export"], ["--version"]):
        _assert_one_line(_run(*command), 2, "CDS_TIME_BUDGET_MS: ")


def test_a_misspelt_setting_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_ALLOWED_ORIGIN", "https://ehr.example.org")
    _assert_one_line(_run("migrate"), 0, "Warning: CDS_ALLOWED_ORIGIN is not a setting of this version")


def test_a_wrong_option_is_2() -> None:
    assert _run("serve", "--workers", "0").exit_code == 2
    assert _run("nonsense").exit_code == 2


def test_a_knowledge_directory_without_knowledge_is_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(tmp_path))
    _assert_one_line(_run("--version"), 1, "missing")


def test_migrate_makes_the_database_and_may_be_repeated() -> None:
    for _ in range(2):
        result = _run("migrate")
        assert (result.exit_code, result.stderr) == (0, "")
        assert "version" in result.stdout


def test_migrate_says_which_setting_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", "marker")
    _assert_one_line(_run("migrate"), 2, "CDS_DATABASE_URL")
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3")
    _assert_one_line(_run("migrate"), 1, "CDS_DATABASE_URL")


def test_export_prints_one_object_a_line() -> None:
    url = os.environ["CDS_DATABASE_URL"]
    migrate(url)
    entries = [overridden(), overridden(overrideReason={"userComment": "two\nlines, µ"})]
    received_at = datetime(2026, 1, 15, 12, 2, tzinfo=UTC)
    open_stores(url).feedback.store(
        parse_feedback(json.dumps({"feedback": entries}).encode()), received_at, "synthetic"
    )
    result = _run("feedback", "export")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["card"], line["outcome"], line["outcomeTimestamp"]) for line in lines] == [
        (CARD, "overridden", "2026-01-15T12:01:00Z")
    ] * 2
    assert lines[1]["overrideReason"]["userComment"] == "two\nlines, µ"


def test_export_without_a_database_is_1() -> None:
    _assert_one_line(_run("feedback", "export"), 1, "CDS_DATABASE_URL")
