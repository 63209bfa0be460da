"""The service under faults: workers killed, its database crashed, locked, full and gone, SIGTERM during calls.

Prints what was lost, duplicated, halved or dropped, and how long answers took. Loopback only; bounded load.

    python -m tests.crash.soak --database postgresql --seconds 600
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.client import OK
from pathlib import Path
from time import monotonic

from cds_service.records.audit_trail import AuditTrail
from cds_service.records.database import PATIENT_WAIT_MS, Database
from cds_service.records.feedback import SqlFeedbackStore
from tests.crash.databases import SoakedDatabase, soaked
from tests.crash.load import Load, Tally
from tests.crash.service import Service


@dataclass(frozen=True)
class Outcome:
    """What a soak found. All but the last lines must be zero or empty."""

    lost: int
    """Acknowledged reports of which an entry isn't in the database."""
    duplicated: int
    """Entries that are in the database more than once."""
    halved: int
    """Reports of which some entries are in the database and others aren't."""
    dropped_by_sigterm: int
    """Requests that were sent before a SIGTERM and not answered."""
    refused_calls: int
    """Calls answered with something else than 200."""
    unseen: int
    """Answered calls without an entry in the audit trail, beyond those that the metrics count as killed or lost."""
    unexpected: list[str]
    """Errors that the service itself didn't expect."""
    rounds: int
    calls: int
    entries_counted_lost: int
    """Entries of the trail that kills may have cost, as the metrics tell: rows taken, and not written since."""
    reports: int
    refused_reports: int
    cut_by_kill: int
    not_connected: int
    call_p50_ms: float
    call_p99_ms: float
    feedback_p50_ms: float
    feedback_p99_ms: float

    @property
    def held(self) -> bool:
        """Whether the service kept its promises."""
        faults = (self.lost, self.duplicated, self.halved, self.dropped_by_sigterm, self.refused_calls, self.unseen)
        return not any(faults) and not self.unexpected


@dataclass
class Soak:
    """One service, its database and its clients."""

    service: Service
    database: SoakedDatabase
    load: Load
    dropped: int = 0
    cut_by_kill: int = 0
    counted_lost: int = 0

    def round(self) -> None:
        """Every fault once; each lasts until it was felt, and is over when work goes on."""
        tally = self.load.tally
        tally.wait_for_more("feedback", 200, 10)
        self._kill_a_worker()
        for fault in (self.database.locked, self.database.gone, lambda: self.database.full(self.service)):
            with fault():
                tally.wait_for_more("feedback", 503, 2)
                tally.wait_for_more("call", 200, 5)
            tally.wait_for_more("feedback", 200, 5)
        self._count_rows()
        self._stop_during_calls()
        tally.wait_for_more("feedback", 200, 5)

    def _kill_a_worker(self) -> None:
        before = len(self.load.tally.cut)
        assert self.load.large_call_sent.wait(60), "no large call was sent"
        self.service.kill_worker()
        self.load.tally.wait_for_more("feedback", 200, 10)
        self.cut_by_kill += len(self.load.tally.cut) - before

    def _count_rows(self) -> None:
        """Rows not accounted for wait, or were killed: the fewest of several looks, while calls go on, were killed."""
        looks = []
        for _ in range(10):
            self.load.tally.wait_for_more("call", 200, 1)
            looks.append(self.service.unaccounted("audit") + self.service.rows("audit")["lost"])
        self.counted_lost += min(looks)

    def _stop_during_calls(self) -> None:
        before = len(self.load.tally.cut)
        assert self.load.large_call_sent.wait(60), "no large call was sent"
        stopped = monotonic()
        self.service.terminate()
        self.dropped += sum(cut.sent < stopped for cut in self.load.tally.cut[before:])
        self.service.start()


def soak(kind: str, seconds: float, folder: Path) -> Outcome:
    """Rounds of faults for so many seconds, at least one."""
    began, rounds = monotonic(), 0
    with soaked(kind, folder) as database:
        service = Service(folder, database.url)
        service.start()
        run = Soak(service, database, Load(service.port))
        try:
            run.load.start()
            while not rounds or monotonic() - began < seconds:
                run.round()
                rounds += 1
            run.load.stop()
            service.terminate()
        finally:
            run.load.stopped.set()
            service.kill()
        return _judge(run, rounds)


def _judge(run: Soak, rounds: int) -> Outcome:
    tally = run.load.tally
    kept = _kept_cards(run.database.url)
    refused = sum(number for (kind, status), number in tally.answered.items() if "call" in kind and status != 200)
    calls = tally.answered["call", 200] + tally.answered["large call", 200]
    return Outcome(
        lost=sum(any(not kept[card] for card in cards) for cards in tally.acknowledged.values()),
        duplicated=sum(number > 1 for number in kept.values()),
        halved=sum(0 < sum(kept[card] for card in cards) < len(cards) for cards in tally.reported),
        dropped_by_sigterm=run.dropped,
        refused_calls=refused,
        unseen=max(0, calls - _kept_entries(run.database.url) - run.counted_lost),
        unexpected=run.service.unexpected_errors(),
        rounds=rounds,
        calls=calls,
        entries_counted_lost=run.counted_lost,
        reports=len(tally.acknowledged),
        refused_reports=tally.answered["feedback", 503],
        cut_by_kill=run.cut_by_kill,
        not_connected=tally.not_connected,
        **_times(tally),
    )


def _times(tally: Tally) -> dict[str, float]:
    percentiles = {kind: statistics.quantiles(tally.milliseconds[kind], n=100) for kind in ("call", "feedback")}
    return {
        f"{kind}_p{percent}_ms": round(values[percent - 1], 1)
        for kind, values in percentiles.items()
        for percent in (50, 99)
    }


def _kept_cards(url: str) -> Counter[str]:
    database = Database(url, PATIENT_WAIT_MS)
    try:
        return Counter(str(entry["card"]) for entry in SqlFeedbackStore(database).export() if entry["card"] != "filler")
    finally:
        database.close()


def _kept_entries(url: str) -> int:
    database = Database(url, PATIENT_WAIT_MS)
    try:
        return sum(entry.status == OK for entry in AuditTrail(database).export())
    finally:
        database.close()


def main(arguments: Sequence[str]) -> int:
    """Print what was found, as JSON; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=600)
    told = parser.parse_args(arguments)
    outcome = soak(told.database, min(told.seconds, 3600), Path(tempfile.mkdtemp(prefix="cds-soak-")))
    sys.stdout.write(json.dumps(asdict(outcome), indent=2) + "\n")
    return 0 if outcome.held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
