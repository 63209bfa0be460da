"""EHRs at work: calls and feedback from several threads, as fast as they are told, and what became of each request.

A report that isn't acknowledged is sent again until it is, as an EHR does; one in four that is, is sent again anyway.
"""

import http.client
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Condition, Event
from time import monotonic
from typing import Any

from benchmarks.payload import request_body
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden

TIMEOUT = 30.0
"""Seconds for one answer: longer than any wait inside the service."""
ENTRIES = 3
"""Entries of one report: whole or not at all."""


@dataclass(frozen=True)
class Cut:
    """A request that was sent whole and not answered."""

    kind: str
    sent: float


@dataclass
class Tally:
    """What became of all requests; shared by the threads."""

    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {"call": [], "large call": [], "feedback": []})
    cut: list[Cut] = field(default_factory=list)
    not_connected: int = 0
    cards_given: int = 0
    reported: list[list[str]] = field(default_factory=list)
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    changed: Condition = field(default_factory=Condition)

    def wait(self, enough: Callable[["Tally"], bool], seconds: float = 120) -> None:
        """Until so much has happened; a bound, so that a service that hangs is an error."""
        with self.changed:
            assert self.changed.wait_for(lambda: enough(self), seconds), f"no progress: {self.answered}"

    def wait_for_more(self, kind: str, status: int, number: int) -> None:
        """Until so many more requests of a kind were answered with this status."""
        target = self.answered[kind, status] + number
        self.wait(lambda tally: tally.answered[kind, status] >= target)


@dataclass
class Load:
    """`clients` threads that call and report, and one that calls with a large chart, each `pause` seconds apart."""

    port: int
    clients: int = 4
    pause: float = 0.05
    tally: Tally = field(default_factory=Tally)
    large_call_sent: Event = field(default_factory=Event)
    stopped: Event = field(default_factory=Event)

    def start(self) -> None:
        """Begin; `stop` ends it."""
        self._pool = ThreadPoolExecutor(self.clients + 1, thread_name_prefix="client")
        self._running: list[Future[None]] = [self._pool.submit(self._act, seed) for seed in range(self.clients)]
        self._running.append(self._pool.submit(self._call_with_large_charts))

    def stop(self) -> None:
        """End all threads; what went wrong in one is raised here."""
        self.stopped.set()
        for running in self._running:
            running.result(TIMEOUT + 10)
        self._pool.shutdown()

    def _act(self, seed: int) -> None:
        chance = random.Random(seed)
        body = request_body(10)
        report = self._new_report(None)
        while not self.stopped.wait(self.pause):
            answer = self._send("call", SERVICE, another_patient(body))
            cards = json.loads(answer[1])["cards"] if answer and answer[0] == 200 else []
            self.tally.cards_given += len(cards)
            status = self._report(report)
            if status == 200 and chance.random() < 0.25:
                self._report(report)
            if status == 200:
                report = self._new_report(cards[0] if cards else None)

    def _new_report(self, card: dict[str, Any] | None) -> list[dict[str, Any]]:
        report = _report(card)
        self.tally.reported.append([entry["card"] for entry in report])
        return report

    def _report(self, report: list[dict[str, Any]]) -> int | None:
        answer = self._send("feedback", FEEDBACK, json.dumps({"feedback": report}).encode())
        if answer and answer[0] == 200:
            self.tally.acknowledged[report[0]["card"]] = [entry["card"] for entry in report]
        return answer[0] if answer else None

    def _call_with_large_charts(self) -> None:
        body = request_body(1500)
        while not self.stopped.wait(self.pause):
            self._send("large call", SERVICE, another_patient(body))

    def _send(self, kind: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        began = monotonic()
        sent = None
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", "Connection": "close"})
            sent = monotonic()
            if kind == "large call":
                self.large_call_sent.set()
            response = connection.getresponse()
            answer = response.status, response.read()
        except (OSError, http.client.HTTPException):
            self._tell_cut(kind, sent)
            return None
        finally:
            connection.close()
            if kind == "large call":
                self.large_call_sent.clear()
        with self.tally.changed:
            self.tally.answered[kind, answer[0]] += 1
            self.tally.milliseconds[kind].append((monotonic() - began) * 1000)
            self.tally.changed.notify_all()
        return answer

    def _tell_cut(self, kind: str, sent: float | None) -> None:
        with self.tally.changed:
            if sent is None:
                self.tally.not_connected += 1
            else:
                self.tally.cut.append(Cut(kind, sent))
        self.stopped.wait(10 * self.pause)


def another_patient(body: bytes) -> bytes:
    """The same chart of somebody else, opened once: what is quiet for one patient is not for the next."""
    call = body.replace(b"0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11", str(uuid.uuid4()).encode())
    return call.replace(b"synthetic-1", f"synthetic-{uuid.uuid4().hex[:8]}".encode())


def _report(card: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A report of its own: about the card just given, if any, and cards nobody gave."""
    when = datetime.now(UTC).isoformat()
    comment = {"userComment": "Synthetic comment. " + "x" * 500}
    report = [overridden(card=str(uuid.uuid4()), outcomeTimestamp=when, overrideReason=comment) for _ in range(ENTRIES)]
    if card:
        suggestions = [{"id": one["uuid"]} for one in card["suggestions"]]
        report[1] = accepted(card=card["uuid"], outcomeTimestamp=when, acceptedSuggestions=suggestions)
    return report
