"""`cds-service serve` as a process that is killed, stopped, starved of disk, and started again on the same port."""

import http.client
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.builders.ports import free_port
from tests.builders.serving import clean_environment

STOP_SECONDS = 45
"""Longer than the service may take to drain."""


@dataclass
class Service:
    """Some workers on one port; the log goes to a file, and what is counted is told on another port.

    `settings` add to a service that answers everyone.
    """

    folder: Path
    database_url: str
    worker_count: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.metrics_port = free_port()

    @property
    def address(self) -> str:
        """Where it listens, host:port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it serves."""
        settings = {
            "CDS_AUTH": "off",
            "CDS_DATABASE_URL": self.database_url,
            "CDS_MIGRATE": "auto",
            "CDS_METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
            "CDS_PSEUDONYM_KEY": "synthetic-key-of-the-soak",
            **self.settings,
        }
        width = ("--workers", str(self.worker_count), "--threads", "8")
        command = [sys.executable, "-m", "cds_service", "serve", "--port", str(self.port), *width]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=clean_environment(self.folder, **settings), stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith(b"Serving "), (self.folder / "log").read_text()[-2000:]

    def terminate(self) -> None:
        """SIGTERM, and wait for its end."""
        self.tell_to_end()
        self.wait_for_end()

    def tell_to_end(self) -> None:
        """SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def wait_for_end(self) -> None:
        """Until all its processes are gone, in peace."""
        code = self._process.wait(STOP_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert code == 0, f"ended with {code}"

    def kill(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        for process in (self._process.pid, *self.workers()):  # the first would start others in place of the rest
            _signal(process, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def kill_worker(self) -> None:
        """`kill -9` of one worker."""
        workers = self.workers()
        if workers:
            _signal(workers[0], signal.SIGKILL)

    def workers(self) -> list[int]:
        """The workers' process ids, oldest first."""
        try:
            listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        except OSError:
            return []
        return sorted(int(child) for child in listed.split())

    def rows(self, kind: str) -> dict[str, int]:
        """How many cards, or audit entries, were taken, written, lost since the start, by all its processes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=STOP_SECONDS)
        connection.request("GET", "/metrics")
        told = connection.getresponse().read().decode()
        connection.close()
        samples = {
            sample.labels["fate"]: int(sample.value)
            for family in text_string_to_metric_families(told)
            for sample in family.samples
            if sample.name == "cds_records_total" and sample.labels["kind"] == kind
        }
        return {fate: samples.get(fate, 0) for fate in ("taken", "written", "lost")}

    def unaccounted(self, kind: str) -> int:
        """How many rows were taken and neither written nor lost: they wait, or were killed."""
        rows = self.rows(kind)
        return rows["taken"] - rows["written"] - rows["lost"]

    def limit_files(self, size: int | None) -> None:
        """No file may grow beyond this many bytes, which to a program is the same as a full disk; None lifts that."""
        soft = resource.RLIM_INFINITY if size is None else size
        for process in (self._process.pid, *self.workers()):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def unexpected_errors(self) -> list[str]:
        """What the service itself calls unexpected, by class and place."""
        lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return sorted({json.dumps(line.get("places")) for line in told if line.get("event") == "unexpected-error"})


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
