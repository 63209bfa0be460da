"""`cds-service serve` as a process of its own, with settings of a test's choice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Served:
    """A running service: its root URL and its log."""

    url: str
    log: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines so far."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


def clean_environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment with no settings but these, and a database in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return kept | {"CDS_DATABASE_URL": f"sqlite:///{folder}/records.sqlite3", "CDS_METRICS_BIND": "off"} | settings


@contextmanager
def serving(folder: Path, *options: str, **settings: str) -> Iterator[Served]:
    """Serve on a free port until left."""
    command = [sys.executable, "-m", "cds_service", "serve", "--port", "0", *options]
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, env=clean_environment(folder, **settings), stdout=subprocess.PIPE, stderr=stderr
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("Serving "), log.read_text(encoding="utf-8")
        yield Served(line.split()[1].removesuffix("/cds-services"), log)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(20)
