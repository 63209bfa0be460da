"""The doctor in front of servers on loopback, on the day that the synthetic charts are dated by."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.doctor import commands
from tests.builders import chart

Doctor = Callable[..., Result]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Doctor:
    """Runs `cds-service doctor` against a base URL; `token` is put into a file."""
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(commands, "utc_now", lambda: chart.AS_OF)

    def run(base: str, *more: str, patient: str = chart.PATIENT, token: str | None = None) -> Result:
        arguments = ["doctor", "--fhir-server", base, "--patient", patient, *more]
        if token is not None:
            file = tmp_path / "token"
            file.write_text(token, encoding="utf-8")
            arguments += ["--token-file", str(file)]
        return CliRunner().invoke(main, arguments)

    return run
