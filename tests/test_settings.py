"""The environment, read once: each setting documented, each wrong one refused by name."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from cds_service.app import build_parts
from cds_service.settings import SECRETS, Settings, SettingsInvalid, load_settings, unknown_settings

EXAMPLE = Path(__file__).parents[1] / "deploy" / "settings.example.env"
DOCUMENTED = re.compile(r"^(#\s)?(CDS_[A-Z_]+)=(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = {name for _, name, _ in DOCUMENTED.findall(EXAMPLE.read_text(encoding="utf-8"))}
    assert documented == {"CDS_" + name.upper() for name in Settings.model_fields}


def test_the_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for comment, name, value in DOCUMENTED.findall(EXAMPLE.read_text(encoding="utf-8")):
        if comment:
            assert Settings.model_fields[name.removeprefix("CDS_").lower()].default is None, f"{name} has a default"
        else:
            monkeypatch.setenv(name, value)
    assert load_settings() == Settings()


def test_each_setting_is_preceded_by_its_meaning() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if DOCUMENTED.match(line):
            assert before.startswith("# "), line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_AUTH", "maybe"),
        ("CDS_PUBLIC_URL", "marker"),
        ("CDS_PUBLIC_URL", "http://marker.example.org"),
        ("CDS_PUBLIC_URL", "https://marker.example.org/?a=b"),
        ("CDS_FHIR_SERVERS", "https://ok.example.org, marker"),
        ("CDS_FHIR_SERVERS", "https://user:marker@ehr.example.org/fhir"),
        ("CDS_FHIR_SERVERS", "https://marker.example.org:x/fhir"),
        ("CDS_ALLOWED_ORIGINS", "*"),
        ("CDS_ALLOWED_ORIGINS", "https://marker.example.org/path"),
        ("CDS_ALLOW_HTTP", "marker"),
        ("CDS_TIME_BUDGET_MS", "marker"),
        ("CDS_TIME_BUDGET_MS", "99"),
        ("CDS_MAX_BODY_BYTES", "-1"),
        ("CDS_KNOWLEDGE_DIR", "/marker"),
        ("CDS_FHIR_RELEASE", "marker"),
        ("CDS_CA_BUNDLE", "/marker"),
        ("CDS_CONCEPT_MAPS", "/marker"),
        ("CDS_CONCEPT_MAPS", "/marker/a.json, /marker/b.json"),
        ("CDS_HTTPS_PROXY", "socks5://marker"),
        ("CDS_ACCEPTED_STATUSES", "final,marker"),
        ("CDS_ACCEPTED_STATUSES", ","),
        ("CDS_ACCEPTED_STATUSES", "entered-in-error"),
        ("CDS_PATIENT_AUDIENCE", "marker"),
        ("CDS_MODE", "marker"),
        ("CDS_PAUSED_FINDINGS", "leukopenia,marker"),
        ("CDS_MEMORY", "marker"),
        ("CDS_RATE_LIMIT", "10/marker"),
        ("CDS_DRAIN_SECONDS", "marker"),
        ("CDS_RETENTION_DAYS", "audit=0"),
        ("CDS_QUIET_DAYS", "not-relevant=marker"),
        ("CDS_QUIET_DAYS", "marker"),
        ("CDS_QUIET_DAYS", "accepted=-1"),
        ("CDS_QUIET_DAYS", "accepted=1, accepted=2"),
        ("CDS_PSEUDONYM_KEY", "marker"),
        ("CDS_PSEUDONYM_KEY_FILE", "/marker"),
        ("CDS_OPS_TOKEN", "marker"),
        ("CDS_METRICS_BIND", "marker"),
        ("CDS_LOG_LEVEL", "marker"),
        ("CDS_MIGRATE", "marker"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as refused:
        load_settings()
    message = str(refused.value)
    assert message.startswith(name)
    assert message.count("CDS_") == (2 if "ALLOW_HTTP=" in message else 1), "each variable is named once"
    assert "\n" not in message
    assert "marker" not in message
    assert not re.search(r"\b(Input|String|Value|Path|Tuple|valid|boolean|integer|item|pattern)\b", message), "ours"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CDS_RATE_LIMIT", "600 a minute", "must say how often in a second, minute, hour or day, such as 600/minute"),
        ("CDS_RATE_LIMIT", "0/minute", "must say how often in a second, minute, hour or day, such as 600/minute"),
        ("CDS_AUDIT", "perhaps", "must be on or off"),
        ("CDS_OPS_TOKEN", "short", "must have at least 16 characters; `openssl rand -hex 32` makes good ones"),
        ("CDS_SESSION_KEY", "x" * 15, "must have at least 16 characters; `openssl rand -hex 32` makes good ones"),
        ("CDS_TIME_BUDGET_MS", "99", "must be at least 100"),
        ("CDS_TIME_BUDGET_MS", "1.5", "must be a whole number"),
        ("CDS_DRAIN_SECONDS", "601", "must be at most 600"),
        ("CDS_DRAIN_SECONDS", "long", "must be a number"),
        ("CDS_RETENTION_DAYS", "audit", "must be name=days, separated by commas"),
        ("CDS_RETENTION_DAYS", "notes=3", "must be 'feedback', 'cards' or 'audit'"),
        ("CDS_ACCEPTED_STATUSES", ",", "must not be empty; leave it unset for the default"),
        ("CDS_CA_BUNDLE", "/none", "no file is found there; is the path right, and may this user read it?"),
        ("CDS_MODE", "loud", "must be 'live' or 'silent'"),
    ],
)
def test_the_operator_is_told_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=f"^{re.escape(f'{name}: {told}')}$"):
        load_settings()


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AUTH", "x")
    monkeypatch.setenv("CDS_LOG_LEVEL", "x")
    with pytest.raises(SettingsInvalid, match=r"CDS_AUTH: .*; CDS_LOG_LEVEL: "):
        load_settings()


def test_lists_and_switches_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_FHIR_SERVERS", "https://ehr.example.org/fhir/ , http://127.0.0.1:*/fhir,")
    monkeypatch.setenv("CDS_ALLOWED_ORIGINS", "https://ehr.example.org,https://b.example.org:8443")
    monkeypatch.setenv("CDS_ASSESSMENT_EXTENSION", "off")
    monkeypatch.setenv("CDS_ACCEPTED_STATUSES", "final,unknown")
    monkeypatch.setenv("CDS_PAUSED_FINDINGS", "leukopenia, bicytopenia")
    monkeypatch.setenv("CDS_QUIET_DAYS", "not-relevant = 14, accepted=0,")
    monkeypatch.setenv("CDS_LOG_LEVEL", "")
    settings = load_settings()
    assert settings.fhir_servers == ("https://ehr.example.org/fhir", "http://127.0.0.1:*/fhir")
    assert settings.allowed_origins == ("https://ehr.example.org", "https://b.example.org:8443")
    assert settings.assessment_extension is False
    assert settings.accepted_statuses == ("final", "unknown")
    assert settings.paused_findings == ("leukopenia", "bicytopenia")
    assert settings.quiet_days == {"not-relevant": 14, "accepted": 0}
    assert settings.log_level == "info", "empty counts as unset"


def test_plain_http_is_for_loopback_or_by_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://localhost:8000/", "http://[::1]:8000", "https://cds.example.org/base/"):
        monkeypatch.setenv("CDS_PUBLIC_URL", url)
        assert load_settings().public_url == url.rstrip("/")
    monkeypatch.setenv("CDS_PUBLIC_URL", "http://cds.example.org")
    monkeypatch.setenv("CDS_ALLOW_HTTP", "on")
    assert load_settings().public_url == "http://cds.example.org"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_comes_from_a_file_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    variable = "CDS_" + name.upper()
    (tmp_path / "secret").write_text("synthetic-secret-0123\n", encoding="utf-8")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    settings = load_settings()
    assert getattr(settings, name).get_secret_value() == "synthetic-secret-0123"
    assert "synthetic-secret" not in f"{settings!r} {settings}"
    monkeypatch.setenv(variable, "another-secret-0123456")
    with pytest.raises(SettingsInvalid, match=f"{variable} and {variable}_FILE are both set"):
        load_settings()


def test_a_proxys_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_HTTPS_PROXY", "http://user:marker@proxy.example.org:3128")
    assert load_settings().https_proxy == "http://user:marker@proxy.example.org:3128"
    assert "marker" not in repr(load_settings())


def test_an_unknown_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_ALLOWED_ORIGIN", "https://ehr.example.org")
    monkeypatch.setenv("CDS_OPS_TOKEN_FILE", "/x")
    monkeypatch.setenv("CDS_AUTH_FILE", "/x")
    assert unknown_settings() == ("CDS_ALLOWED_ORIGIN", "CDS_AUTH_FILE")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().auth = "off"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_a_certificate_file_that_can_not_be_used_stops_the_start(name: str, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    settings = load_settings(auth="off", database_url=f"sqlite:///{tmp_path}/records.sqlite3", **{name: nonsense})
    with pytest.raises(ValueError, match="CDS_CA_BUNDLE or CDS_CLIENT_CERT can't be used"):
        build_parts(settings)
