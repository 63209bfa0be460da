"""`cds-service serve` as a process of its own, with settings of a test's choice."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Served:
    """A running service: its root URL and its log."""

    process: "subprocess.Popen[bytes]"
    log: Path
    url: str = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines so far; what is written to the file by now is here."""
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def wait_for_line(self, event: str, number: int = 1) -> dict[str, Any]:
        """The so-and-so-many-th line of an event, once it is written; a bound, so that a missing one is an error."""
        for _ in range(3000):
            if found := [line for line in self.lines if line["event"] == event][number - 1 :]:
                return found[0]
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
        raise AssertionError(f"no {event}: {self.lines}")

    def signal(self, number: signal.Signals) -> None:
        """Send the master a signal."""
        self.process.send_signal(number)

    def workers(self) -> list[int]:
        """The workers' process ids."""
        return children(self.process.pid)


def children(process: int) -> list[int]:
    """The ids of a process's children, oldest first."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return sorted(int(child) for child in listed.split())


def wait_for_end(process: int) -> None:
    """Until a process that isn't ours has ended: its handle becomes readable then."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 45)[0], f"{process} is still there"
    finally:
        os.close(handle)


def clean_environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment with no settings but these, and a database in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    usual = {
        "CDS_DATABASE_URL": f"sqlite:///{folder}/records.sqlite3",
        "CDS_METRICS_BIND": "off",
        "CDS_DRAIN_SECONDS": "0",
    }
    return kept | usual | settings


@contextmanager
def serving(folder: Path, *options: str, **settings: str) -> Iterator[Served]:
    """Serve on a free port until left."""
    command = [sys.executable, "-m", "cds_service", "serve", "--port", "0", *options]
    with served_by(command, folder, **settings) as served:
        yield served


@contextmanager
def served_by(command: list[str], folder: Path, **settings: str) -> Iterator[Served]:
    """What this command serves, until left; its first line of output ends with the URL, or the endpoint there."""
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, env=clean_environment(folder, **settings), stdout=subprocess.PIPE, stderr=stderr
        )
    assert process.stdout is not None
    served = Served(process, log)
    try:
        line = process.stdout.readline().decode()
        assert line, log.read_text(encoding="utf-8")
        served.url = line.split()[-1].removesuffix("/cds-services")
        yield served
    finally:
        _end(served, drains=bool(float(settings.get("CDS_DRAIN_SECONDS", 0))))


def _end(served: Served, drains: bool) -> None:
    process = served.process
    assert process.stdout is not None
    process.terminate()
    process.stdout.close()
    try:
        if drains and process.poll() is None:
            served.wait_for_line("draining")
            process.terminate()  # the second one means now
        process.wait(20)
    finally:
        process.kill()
