"""New processes that can't load what was checked: those in service stay, and nothing is given up for good."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.builders.serving import Served, served_by, wait_for_end

pytestmark = pytest.mark.server


@contextmanager
def _serving(folder: Path, *words: str) -> Iterator[Served]:
    with served_by([sys.executable, "-m", "tests.serving.generations_that_fail", *words], folder) as served:
        yield served


def _generation(served: Served) -> str:
    return requests.get(served.url + "/", timeout=30).text


def test_the_old_stay_when_new_ones_cannot_load_and_the_next_reload_is_tried(tmp_path: Path) -> None:
    with _serving(tmp_path, "good", "fails", "refused", "good") as served:
        workers = served.workers()
        served.signal(signal.SIGHUP)
        assert served.wait_for_line("reload-failed")["knowledgeVersion"] == "1"
        assert served.wait_for_line("worker-not-started")["error"] == "RuntimeError"
        assert {_generation(served) for _ in range(10)} == {"1"}
        assert set(workers) <= set(served.workers())
        served.signal(signal.SIGHUP)
        served.wait_for_line("reload-refused")
        served.signal(signal.SIGHUP)
        line = served.wait_for_line("reloaded")
        assert (line["knowledgeVersion"], line["previousKnowledgeVersion"]) == ("4", "1")
        assert [line["reloaded"] for line in served.lines if line["event"] == "told"] == [False, False, True]
        assert "4" in (_generation(served) for _ in range(1000))
        assert "marker" not in served.log.read_text(encoding="utf-8")


def test_reloads_asked_for_at_once_are_made_one_after_the_other(tmp_path: Path) -> None:
    with _serving(tmp_path, "good", "good", "good", "good") as served:
        for number in (1, 2, 3):
            served.signal(signal.SIGHUP)
            assert served.wait_for_line("reloaded", number)["knowledgeVersion"] == str(number + 1)


def test_a_process_told_to_end_while_it_loads_ends_in_peace(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with _serving(tmp_path, "good", str(gate)) as served:
        old = served.workers()
        served.signal(signal.SIGHUP)
        with gate.open("wb"):  # opens once a new process loads
            served.signal(signal.SIGTERM)
            for worker in old:
                wait_for_end(worker)
            for worker in served.workers():
                os.kill(worker, signal.SIGTERM)  # as the master has by now: it comes before the gate opens
        assert served.process.wait(60) == 0
        assert served.lines == [], "nothing to say, and nothing but lines of ours"


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_server_that_never_could_load_ends(workers: int) -> None:
    command = [sys.executable, "-m", "tests.serving.generations_that_fail", "fails"]
    environment = os.environ | {"WORKERS": str(workers)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert ended.returncode == 1
    assert "worker-not-started" in ended.stderr
    assert "marker" not in ended.stderr
    assert "Traceback" not in ended.stderr
