"""Every setting, wrong: the start is refused in one line that names it and doesn't repeat it, with exit code 2."""

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.settings import Settings

MARK = "marker"
WRONG = {
    "CDS_PUBLIC_URL": "http://marker.example.org",
    "CDS_AUTH": MARK,
    "CDS_TRUSTED_CLIENTS": "/marker",
    "CDS_FHIR_SERVERS": MARK,
    "CDS_ALLOW_HTTP": MARK,
    "CDS_ALLOWED_ORIGINS": "https://marker.example.org/path",
    "CDS_DATABASE_URL": "marker://x",
    "CDS_MIGRATE": MARK,
    "CDS_REDIS_URL": "http://marker",
    "CDS_SMART_REGISTRATIONS": "/marker",
    "CDS_SESSION_KEY": MARK,
    "CDS_RATE_LIMIT": "10/marker",
    "CDS_TIME_BUDGET_MS": MARK,
    "CDS_MAX_BODY_BYTES": MARK,
    "CDS_KNOWLEDGE_DIR": "/marker",
    "CDS_CONCEPT_MAPS": "/marker",
    "CDS_FHIR_RELEASE": MARK,
    "CDS_ACCEPTED_STATUSES": MARK,
    "CDS_PATIENT_AUDIENCE": MARK,
    "CDS_NOT_EVALUABLE_CARD": MARK,
    "CDS_ASSESSMENT_EXTENSION": MARK,
    "CDS_MODE": MARK,
    "CDS_PAUSED_FINDINGS": MARK,
    "CDS_MEMORY": MARK,
    "CDS_QUIETING": MARK,
    "CDS_QUIET_DAYS": "accepted=9999",
    "CDS_AUDIT": MARK,
    "CDS_FOREIGN_FEEDBACK": MARK,
    "CDS_RETENTION_DAYS": "marker=3",
    "CDS_PSEUDONYM_KEY": MARK,
    "CDS_PSEUDONYM_KEY_PREVIOUS": MARK,
    "CDS_CA_BUNDLE": "no.pem",
    "CDS_CLIENT_CERT": "no.pem",
    "CDS_HTTPS_PROXY": MARK,
    "CDS_OPS_TOKEN": MARK,
    "CDS_RECORDS_WRITES": MARK,
    "CDS_METRICS_BIND": "127.0.0.1:99999",
    "CDS_OTLP_ENDPOINT": MARK,
    "CDS_DRAIN_SECONDS": MARK,
    "CDS_LOG_LEVEL": MARK,
}


def test_each_setting_has_a_wrong_value_here() -> None:
    assert set(WRONG) == {f"CDS_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("setting", sorted(WRONG))
def test_a_wrong_setting_stops_the_start_and_is_named(
    setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    Path("no.pem").write_text("marker", encoding="utf-8")
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_RATE_LIMIT", "10/minute")
    monkeypatch.setenv(setting, WRONG[setting])
    result = CliRunner().invoke(main, ["serve", "--check"])
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1
    assert setting in result.stderr
    assert MARK not in result.stderr


@pytest.mark.parametrize("options", [["--check"], ["--port", "0"]], ids=["check", "start"])
def test_traces_without_their_extra_stop_the_start(
    options: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "cds_service.tracing", None)
    monkeypatch.setenv("CDS_AUTH", "off")
    monkeypatch.setenv("CDS_METRICS_BIND", "off")
    monkeypatch.setenv("CDS_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 2, result.output
    assert [line for line in result.stderr.splitlines() if "CDS_OTLP_ENDPOINT: needs the extra otel" in line]
