"""Servers as processes of their own on loopback: started, called, and asked what they took of processor and memory."""

import http.client
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wrk import kept_on

PATH = "/cds-services/cytopenia-review"


def serve_command(port: int, *options: str) -> list[str]:
    """The command that serves on this port."""
    return [sys.executable, "-m", "cds_service", "serve", "--port", str(port), *options]


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, its first process, and how many seconds it took to answer."""

    port: int
    process: int
    started: float

    @property
    def url(self) -> str:
        """Of the service's endpoint."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    def cpu_seconds(self) -> float:
        """Processor time (user and system) of all its processes so far."""
        return sum(_cpu_seconds(process) for process in self._processes())

    def peak_megabytes(self) -> float:
        """The most memory that its largest worker ever had (VmHWM)."""
        processes = self._processes()
        return max(_status_kilobytes(process, "VmHWM") for process in processes[1:] or processes) / 1024

    def megabytes(self) -> float:
        """The memory that its largest worker has now (VmRSS)."""
        processes = self._processes()
        return max(_status_kilobytes(process, "VmRSS") for process in processes[1:] or processes) / 1024

    def _processes(self) -> list[int]:
        """The first, and all that come from it."""
        found = [self.process]
        for process in found:
            found += map(int, Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split())
        return found


@contextmanager
def running(
    command: list[str],
    port: int,
    settings: Mapping[str, str] | None = None,
    probe: str = "/livez",
    core: int | None = None,
) -> Iterator[Server]:
    """The server as a process, kept on one processor core if one is named."""
    with tempfile.TemporaryDirectory() as folder:
        usual = {
            "CDS_AUTH": "off",
            "CDS_DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite3",
            "CDS_METRICS_BIND": "off",
            "CDS_DRAIN_SECONDS": "0",
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            kept_on(core, command),
            env=os.environ | usual | dict(settings or {}),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Server(port, process.pid, _wait(port, began, probe))
        finally:
            process.terminate()
            process.wait(60)


def _cpu_seconds(process: int) -> float:
    """By the kernel's clock of that process (clock_getcpuclockid(3)): /proc counts hundredths of a second only."""
    return time.clock_gettime(~process << 3 | 2)


def _status_kilobytes(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _wait(port: int, began: float, probe: str) -> float:
    while time.perf_counter() - began < 60:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", probe)
            if connection.getresponse().status == http.client.OK:
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.01)
    raise SystemExit("the server did not start")


def call(connection: http.client.HTTPConnection, body: bytes, status: int = http.client.OK) -> float:
    """Make one call of the service; the milliseconds until its answer is read."""
    began = time.perf_counter()
    connection.request("POST", PATH, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != status:
        raise SystemExit(f"answered {response.status}")
    return (time.perf_counter() - began) * 1000


def percentile(values: list[float], percent: int) -> float:
    """The percentile of measured values."""
    return statistics.quantiles(values, n=100)[percent - 1]


def machine() -> str:
    """What it was measured on, in a line."""
    names = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    processor = names.group(1) if names else platform.machine()
    return f"{processor} ({platform.machine()}), {os.cpu_count()} cores, Python {platform.python_version()}"
