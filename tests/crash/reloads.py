"""Calls that come without a break through reloads and rolling restarts, and how many of them were lost.

Two services stand behind what a balancer is: callers go to those whose /readyz said yes a moment ago, a connection a
call. Each in turn reloads new knowledge again and again, and is then stopped and started anew. Loopback only; bounded.

    python -m tests.crash.reloads --reloads 5 --restarts 2
"""

import argparse
import http.client
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from urllib.parse import urlsplit

from benchmarks.payload import request_body
from cds_service.knowledge.loader import SHIPPED
from tests.builders.conversation import SERVICE
from tests.builders.serving import Served, serving

CALLERS = 4
PROBE_SECONDS = 0.2
"""Between two questions of the balancer whether a service is ready."""
DRAIN_SECONDS = 2.0
"""Longer than the balancer takes to find out, on a machine with time for it."""


@dataclass(frozen=True)
class Outcome:
    """What became of the calls; all but the answered ones are lost."""

    answered: int
    lost: dict[str, int]
    reloads: int
    restarts: int
    versions: int
    """How many versions of the knowledge answered: each reload is a new one."""


@dataclass
class Replica:
    """One service, and whether calls are sent to it."""

    served: Served
    ready: Event = field(default_factory=Event)
    unready: Event = field(default_factory=Event)
    in_flight: int = 0

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        url = urlsplit(self.served.url)
        return str(url.hostname), url.port or 0


@dataclass
class Calls:
    """Callers at work, and what became of their calls."""

    replicas: list[Replica]
    told: Counter[str] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    over: Event = field(default_factory=Event)
    news: Condition = field(default_factory=Condition)

    def wait_for_more(self, number: int) -> None:
        """Until so many more calls were answered; a bound, so that a service that hangs is an error."""
        with self.news:
            target = self.told["200"] + number
            assert self.news.wait_for(lambda: self.told["200"] >= target, 120), f"no progress: {self.told}"

    def call(self, first: int) -> None:
        """Call one ready replica after the other until it is over."""
        body = request_body(20)
        while not self.over.is_set():
            first += 1
            replica = self.replicas[first % len(self.replicas)]
            with self.news:
                if not replica.ready.is_set():
                    continue
                replica.in_flight += 1
            what, version = _call(replica.address, body)
            with self.news:
                replica.in_flight -= 1
                self.told[what] += 1
                self.versions.add(version)
                self.news.notify_all()

    def wait_for_quiet(self, replica: Replica) -> None:
        """Until the balancer sends it no more calls, and those that it did send are answered."""
        assert replica.unready.wait(60), "readiness falls"
        with self.news:
            assert self.news.wait_for(lambda: replica.in_flight == 0, 120)

    def probe(self) -> None:
        """Ask each replica whether it is ready, now and then, as balancers do."""
        while not self.over.wait(PROBE_SECONDS):
            for replica in list(self.replicas):
                ready = _is_ready(replica.address)
                with self.news:
                    (replica.ready.set if ready else replica.ready.clear)()
                    (replica.unready.clear if ready else replica.unready.set)()


def _call(address: tuple[str, int], body: bytes) -> tuple[str, str]:
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request("POST", SERVICE, body, {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        return str(answer.status), told["extension"]["org.cytopenia-cds.assessment"]["knowledgeVersion"]
    except (OSError, http.client.HTTPException, LookupError, ValueError) as error:
        return type(error).__name__, ""
    finally:
        connection.close()


def _is_ready(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _calling(replicas: list[Replica]) -> Iterator[Calls]:
    calls = Calls(replicas)
    prober = Thread(target=calls.probe, daemon=True)
    prober.start()
    with ThreadPoolExecutor(CALLERS) as pool:
        at_work = [pool.submit(calls.call, first) for first in range(CALLERS)]
        try:
            calls.wait_for_more(1)
            yield calls
        finally:
            calls.over.set()
        for caller in at_work:
            caller.result(90)
    prober.join(30)


def roll(reloads: int, restarts: int, folder: Path, drain_seconds: float | None = DRAIN_SECONDS) -> Outcome:
    """Reload each replica so often, and restart each so often, while calls come.

    `drain_seconds` is CDS_DRAIN_SECONDS; None lets them drain until the balancer has found out, however slow it is.
    """
    drain = 600.0 if drain_seconds is None else drain_seconds
    knowledge = Path(shutil.copytree(SHIPPED, folder / "knowledge"))
    with ExitStack() as stack:
        replicas = [Replica(stack.enter_context(_serve(folder / str(number), knowledge, drain))) for number in range(2)]
        with _calling(replicas) as calls:
            for number in range(1, reloads + 1):
                with (knowledge / "edition.toml").open("a", encoding="utf-8") as edition:
                    edition.write(f"# {number}\n")
                for replica in replicas:
                    replica.served.signal(signal.SIGHUP)
                    replica.served.wait_for_line("reloaded", number)
                    calls.wait_for_more(20)
            for number in range(restarts):
                for index in range(len(replicas)):
                    old = replicas[index].served
                    old.signal(signal.SIGTERM)
                    if drain_seconds is None:
                        calls.wait_for_quiet(replicas[index])
                        old.signal(signal.SIGTERM)
                    assert old.process.wait(60) == 0
                    served = stack.enter_context(_serve(folder / f"{index}-{number}", knowledge, drain))
                    replicas[index] = Replica(served)
                    assert replicas[index].ready.wait(60), "the new one is ready"
                    calls.wait_for_more(50)
        lost = {what: number for what, number in calls.told.items() if what != "200"}
        return Outcome(calls.told["200"], lost, reloads, restarts, len(calls.versions - {""}))


@contextmanager
def _serve(folder: Path, knowledge: Path, drain: float) -> Iterator[Served]:
    folder.mkdir()
    settings = {"CDS_AUTH": "off", "CDS_KNOWLEDGE_DIR": str(knowledge), "CDS_DRAIN_SECONDS": str(drain)}
    with serving(folder, **settings) as served:
        yield served


def main(arguments: Sequence[str]) -> int:
    """Print what was found, as JSON; 1 if a call was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=5)
    parser.add_argument("--restarts", type=int, default=2)
    told = parser.parse_args(arguments)
    began = time.monotonic()
    outcome = roll(min(told.reloads, 1000), min(told.restarts, 1000), Path(tempfile.mkdtemp(prefix="cds-rolling-")))
    sys.stdout.write(json.dumps(asdict(outcome) | {"seconds": round(time.monotonic() - began)}, indent=2) + "\n")
    return 1 if outcome.lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
