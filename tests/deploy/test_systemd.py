"""The systemd unit: what it runs is there on every Debian, and it stands by what the page and the settings say.

That it starts, reloads, stops and comes back under systemd is tried by hand (docs/operations/install-bare.md).
"""

import re
from pathlib import Path

from cds_service.settings import Settings

ROOT = Path(__file__).parents[2]
UNIT: list[tuple[str, str]] = re.findall(
    r"^(\w+)=(.*)$", (ROOT / "deploy/systemd/cytopenia-cds.service").read_text(encoding="utf-8"), re.MULTILINE
)
PAGE = (ROOT / "docs/operations/install-bare.md").read_text(encoding="utf-8")


def _told(name: str) -> str:
    (value,) = [value for found, value in UNIT if found == name]
    return value


def test_it_runs_the_service_and_what_every_debian_has() -> None:
    programs = {value.split()[0] for name, value in UNIT if name.startswith("Exec")}
    assert programs == {"/opt/cytopenia-cds/bin/cds-service", "/bin/sh"}, "/bin/kill is no part of a small Debian"
    assert _told("ExecReload") == '/bin/sh -c "kill -HUP $$MAINPID"'


def test_user_folders_and_settings_are_those_of_the_page() -> None:
    assert f"adduser --system --group --home {_told('WorkingDirectory')} {_told('User')}" in PAGE
    assert f"/var/lib/{_told('StateDirectory')}" == _told("WorkingDirectory")
    assert f"deploy/settings.example.env {_told('EnvironmentFile')}" in PAGE
    assert _told("ExecStartPre") == "/opt/cytopenia-cds/bin/cds-service serve --check"


def test_calls_in_flight_are_waited_for() -> None:
    fields = Settings.model_fields
    at_least = fields["drain_seconds"].default + 30 + fields["time_budget_ms"].default / 1000
    assert int(_told("TimeoutStopSec")) > at_least
