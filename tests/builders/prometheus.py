"""Debian's Prometheus and promtool, with the project's rules."""

import contextlib
import math
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.builders.ports import free_port

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/prometheus"


def promtool(*arguments: str | Path, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    """Run it in a folder; what it says is in `stdout` and `stderr`."""
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def rules() -> list[dict[str, Any]]:
    """All recording and alerting rules."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def parse_errors(queries: list[str], folder: Path) -> str:
    """What promtool has against these queries, empty where nothing; each is checked as a recording rule."""
    recorded = [{"record": f"checked:query_{number}", "expr": query} for number, query in enumerate(queries)]
    (folder / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))
    checked = promtool("check", "rules", "queries.yml", folder=folder)
    return "" if checked.returncode == 0 else checked.stdout + checked.stderr


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    process: subprocess.Popen[bytes]

    def ask(self, query: str) -> list[float]:
        """The numbers that the query gives now; none that isn't a number."""
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=10).json()
        assert answer["status"] == "success", (query, answer)
        values = (float(one["value"][1]) for one in answer["data"]["result"])
        return [value for value in values if math.isfinite(value)]

    def comes_to_say(self, query: str, seconds: float = 30) -> list[float]:
        """What it gives once it gives something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException, subprocess.TimeoutExpired):
                if said := self.ask(query):
                    return said
                self.process.wait(0.1)
        raise AssertionError(f"nothing within {seconds} s: {query}")


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """One that scrapes the target each second, and works by the project's rules."""
    hurried = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    hurried = re.sub(r"_interval: \w+", "_interval: 1s", hurried).replace("cytopenia-cds:9464", target)
    (folder / "prometheus.yml").write_text(hurried, encoding="utf-8")
    recorded = re.sub(r"interval: 5m", "interval: 1s", (FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    (folder / "alerts.yml").write_text(recorded, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Prometheus(f"http://{address}", process)
    finally:
        process.terminate()
        process.wait(20)
