"""`cds-service serve` as an operator runs it: one line when ready, a card, feedback on disk, a clean end."""

import json
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.builders import chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.conversation import FEEDBACK, SERVICE, accepted
from tests.builders.serving import clean_environment

pytestmark = pytest.mark.server

KEY = "a key for tests only, synthetic"
SERVE = [sys.executable, "-m", "cds_service", "serve", "--port", "0"]


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    return clean_environment(folder, **({"CDS_AUTH": "off", "CDS_PSEUDONYM_KEY": KEY} | settings))


def _export(environment: dict[str, str]) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "cds_service", "feedback", "export"]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def _current_low_counts() -> list[dict[str, object]]:
    """Low counts dated by this machine's clock, which the served process reads too."""
    now = datetime.now(UTC)
    counts = [("wbc", 2.9, 1), ("wbc", 3.1, 21), ("plt", 88, 1)]
    return [{name: value, "date": chart.moment(days, as_of=now)} for name, value, days in counts]


def test_a_card_and_its_feedback_through_the_real_command(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(SERVE, env=environment, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("Serving http://127.0.0.1:"), (tmp_path / "log").read_text()
        url = line.split()[1].removesuffix("/cds-services")
        answer = requests.post(url + SERVICE, json=chart.call(chart.prefetch(_current_low_counts())), timeout=20)
        assert_response_conforms(answer.json(), chart.PATIENT)
        (card,) = answer.json()["cards"]
        assert card["indicator"] == "warning"
        entry = accepted(card=card["uuid"], acceptedSuggestions=[{"id": card["suggestions"][0]["uuid"]}])
        assert requests.post(url + FEEDBACK, json={"feedback": [entry]}, timeout=10).status_code == 200
        assert [told["card"] for told in _export(environment)] == [card["uuid"]], "readable while the service runs"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == b"", "one line and no more"
    finally:
        process.kill()
    for log_line in (tmp_path / "log").read_text().splitlines():
        assert chart.PATIENT not in json.dumps(json.loads(log_line)), "every line is JSON, none names the patient"


def test_a_metrics_address_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = _environment(tmp_path, CDS_METRICS_BIND=f"127.0.0.1:{taken.getsockname()[1]}")
        ended = subprocess.run(SERVE, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: CDS_METRICS_BIND: ")
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*SERVE[:-1], str(taken.getsockname()[1])]
        ended = subprocess.run(
            command, env=_environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
        )
    assert ended.returncode == 1
    assert "can't be listened on" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_what_is_not_shown_and_not_remembered_is_said_at_the_start(tmp_path: Path) -> None:
    settings = {"CDS_PSEUDONYM_KEY": "", "CDS_MODE": "silent", "CDS_PAUSED_FINDINGS": "leukopenia", "CDS_AUDIT": "off"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(SERVE, env=_environment(tmp_path, **settings), stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"Serving ")
    finally:
        process.terminate()
        process.wait(timeout=20)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["setting"] for line in lines if line["event"] == "setting"] == list(settings)[:3]
