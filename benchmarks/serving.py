"""Servers as processes of their own on loopback, calls to them, and percentiles of what they took."""

import http.client
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PATH = "/cds-services/cytopenia-review"


def serve_command(port: int, *options: str) -> list[str]:
    """The command that serves on this port."""
    return [sys.executable, "-m", "cds_service", "serve", "--port", str(port), *options]


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, settings: Mapping[str, str] | None = None, probe: str = "/livez"
) -> Iterator[float]:
    """The server as a process; yields the seconds it took to answer."""
    with tempfile.TemporaryDirectory() as folder:
        usual = {
            "CDS_AUTH": "off",
            "CDS_DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite3",
            "CDS_METRICS_BIND": "off",
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=os.environ | usual | dict(settings or {}), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            yield _wait(port, began, probe)
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, began: float, probe: str) -> float:
    while time.perf_counter() - began < 20:
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
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
