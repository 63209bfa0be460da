"""wrk (Debian's package) as the client: so many connections call for so many seconds, each call about another patient.

wrk reckons with the calls that it could not make while it waited for a slow one, so that pauses count in full.
"""

import json
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.payload import HOOK_INSTANCE, PATIENT_ID

_SCRIPT = Path(__file__).with_name("calls.lua")
_PATIENT, _INSTANCE = b"\1", b"\2"
_MARK = "MEASURED "


@dataclass(frozen=True)
class Load:
    """What became of the calls: how many were answered, how many failed, in how many seconds, and the latencies."""

    calls: int = 0
    failed: int = 0
    seconds: float = 0.0
    histogram: Counter[int] = field(default_factory=Counter)
    """Calls by their latency in microseconds."""

    @property
    def calls_per_second(self) -> float:
        """Answers a second."""
        return self.calls / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """The latency in milliseconds that so many percent of the calls didn't exceed."""
        wanted, seen = self.histogram.total() * percent / 100, 0
        for microseconds, count in sorted(self.histogram.items()):
            seen += count
            if seen >= wanted:
                return microseconds / 1000
        raise ValueError("no call was answered")

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.calls + other.calls,
            self.failed + other.failed,
            self.seconds + other.seconds,
            self.histogram + other.histogram,
        )


def send_calls(
    url: str,
    body: bytes,
    connections: int = 1,
    seconds: int = 1,
    core: int | None = None,
    tokens: Iterable[str] = (),
) -> Load:
    """Call a service for a while from so many connections.

    Args:
        url: of the service's endpoint.
        body: made by `benchmarks.payload`; patient and hookInstance are other ones in each call.
        connections: as many calls are under way at any time.
        seconds: wrk counts whole ones.
        core: the processor core that wrk is kept on; by default any.
        tokens: one for each call, where the service asks for them.

    Raises:
        SystemExit: wrk isn't installed, or could not connect.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        marked, listed = Path(folder) / "body", Path(folder) / "tokens"
        marked.write_bytes(
            body.replace(PATIENT_ID.encode() + b'"', _PATIENT + b'"').replace(HOOK_INSTANCE.encode(), _INSTANCE)
        )
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=30s"]
        command += ["--script", str(_SCRIPT), url, "--", str(marked), f"p{uuid.uuid4().hex[:6]}"]
        if tokens := list(tokens):
            listed.write_text("\n".join(tokens), encoding="ascii")
            command.append(str(listed))
        return _read(subprocess.run(kept_on(core, command), capture_output=True, text=True, check=False))


def kept_on(core: int | None, command: list[str]) -> list[str]:
    """The command, kept on one processor core."""
    return command if core is None else ["taskset", "--cpu-list", str(core), *command]


def _read(finished: subprocess.CompletedProcess[str]) -> Load:
    told = finished.stdout.rpartition(_MARK)[2]
    if finished.returncode or not told:
        raise SystemExit(f"wrk failed: {(finished.stderr or finished.stdout).strip()[:300]}")
    read = json.loads(told)
    return Load(read["calls"], read["failed"], read["microseconds"] / 1e6, Counter(dict(read["histogram"])))
