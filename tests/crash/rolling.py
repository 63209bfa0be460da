"""Three replicas behind nginx under load: one is killed, then all are replaced one after the other.

Prints how many calls were made, how many were lost by the kill and by the replacement, and how long answers took.
Loopback only; bounded load.

    python -m tests.crash.rolling --rounds 10
"""

import argparse
import http.client
import json
import ssl
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Condition, Event
from time import monotonic

from tests.builders.client_tokens import SERVICE
from tests.builders.replicas import Replicas, low_counts, replicas
from tests.crash.service import Service

TIMEOUT = 120.0
CLIENTS = 4
PAUSE = 0.02
"""Seconds between two calls of one client: others need the machine, too."""


@dataclass
class Clients:
    """EHRs that call through the gateway, each one call after the other on one connection, until stopped."""

    running: Replicas
    statuses: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    stopped: Event = field(default_factory=Event)

    def start(self) -> None:
        """Begin."""
        self._pool = ThreadPoolExecutor(CLIENTS, thread_name_prefix="ehr")
        self._futures: list[Future[None]] = [self._pool.submit(self._call_again_and_again) for _ in range(CLIENTS)]

    def stop(self) -> None:
        """End; what went wrong in a thread is raised here."""
        self.stopped.set()
        for future in self._futures:
            future.result(TIMEOUT)
        self._pool.shutdown()

    def wait(self, enough: Callable[[], bool]) -> None:
        """Until an answer makes it true."""
        with self.changed:
            assert self.changed.wait_for(enough, TIMEOUT), f"no progress after {len(self.statuses)} calls"

    def wait_for_more(self, number: int) -> None:
        """Until so many more calls were answered."""
        target = len(self.statuses) + number
        self.wait(lambda: len(self.statuses) >= target)

    def lost(self) -> int:
        """Calls so far that were not answered as asked."""
        return sum(status != http.client.OK for status in self.statuses)

    def _call_again_and_again(self) -> None:
        context = ssl.create_default_context(cafile=self.running.gateway.trusted)
        gateway = http.client.HTTPSConnection("localhost", self.running.gateway.port, timeout=TIMEOUT, context=context)
        while not self.stopped.wait(PAUSE):
            body = json.dumps(low_counts(10)).encode()
            token = self.running.token(SERVICE)
            began = monotonic()
            gateway.request(
                "POST", SERVICE, body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            )
            status = _answered(gateway)
            with self.changed:
                self.statuses.append(status)
                self.milliseconds.append((monotonic() - began) * 1000)
                self.changed.notify_all()


def _answered(gateway: http.client.HTTPSConnection) -> int:
    """The status of an answer that came whole; 0 where it was cut off, as the answer of a killed replica may be."""
    try:
        answer = gateway.getresponse()
        answer.read()
    except http.client.IncompleteRead:
        gateway.close()
        return 0
    return answer.status


@dataclass(frozen=True)
class Outcome:
    """What was found."""

    calls: int
    kills: int
    lost_at_kill: int
    lost_beyond_its_own: int
    """Calls lost by a kill that another replica had, or more of the killed one's than could be under way."""
    replaced: int
    lost_at_replacement: int
    p50_ms: float
    p99_ms: float

    @property
    def held(self) -> bool:
        """Whether nothing was lost that need not be."""
        return not self.lost_beyond_its_own and not self.lost_at_replacement


@dataclass
class Rolling:
    """The replicas, the load, and what was lost."""

    running: Replicas
    clients: Clients
    between: int
    """Calls to wait for before the next replica's turn."""
    lost_at_kill: int = 0
    beyond: int = 0
    lost_at_replacement: int = 0

    def kill(self, service: Service) -> None:
        """`kill -9` of one replica, all its processes; it comes back later."""
        self.clients.wait_for_more(self.between)
        lost, written = self.clients.lost(), self.running.gateway.written
        service.kill()
        self.clients.wait_for_more(2 * self.between)
        failed = [line for line in self.running.gateway.lines_after(written) if line["status"] != "200"]
        elsewhere = sum(not line["replica"].endswith(service.address) for line in failed)
        newly = self.clients.lost() - lost
        self.lost_at_kill += newly
        self.beyond += elsewhere + max(0, newly - CLIENTS)
        self._come_back(service)

    def replace(self, service: Service) -> None:
        """SIGTERM, and a new one in its place; the next one's turn comes once it answers calls."""
        lost = self.clients.lost()
        service.terminate()
        self._come_back(service)
        self.clients.wait_for_more(self.between)
        self.lost_at_replacement += self.clients.lost() - lost

    def _come_back(self, service: Service) -> None:
        service.start()
        before = self.running.gateway.written
        self.clients.wait(
            lambda: any(line["replica"].endswith(service.address) for line in self.running.gateway.lines_after(before))
        )


def roll(folder: Path, rounds: int, between: int = 20) -> Outcome:
    """So many rounds of one kill and the replacement of all three."""
    with replicas(folder) as running:
        rolling = Rolling(running, Clients(running), between)
        rolling.clients.start()
        try:
            for number in range(rounds):
                rolling.kill(running.services[number % len(running.services)])
                for service in running.services:
                    rolling.replace(service)
        finally:
            rolling.clients.stop()
    percentiles = statistics.quantiles(rolling.clients.milliseconds, n=100)
    return Outcome(
        calls=len(rolling.clients.statuses),
        kills=rounds,
        lost_at_kill=rolling.lost_at_kill,
        lost_beyond_its_own=rolling.beyond,
        replaced=rounds * len(running.services),
        lost_at_replacement=rolling.lost_at_replacement,
        p50_ms=round(percentiles[49], 1),
        p99_ms=round(percentiles[98], 1),
    )


def main(arguments: Sequence[str]) -> int:
    """Print what was found, as JSON; 1 if a call was lost that need not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--between", type=int, default=100, help="calls between two events")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cds-rolling-") as folder:
        outcome = roll(Path(folder), min(told.rounds, 200), told.between)
    sys.stdout.write(json.dumps(asdict(outcome), indent=2) + "\n")
    return 0 if outcome.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
