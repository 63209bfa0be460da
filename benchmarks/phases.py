"""Where the time of a call goes, by the phases that the rooms mark: `python -m benchmarks.phases`. In this process.

Processor time, medians of some calls. What fhir.resources takes is counted inside the reading; what memory and audit
trail take on top includes what is written behind the answer.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import process_time, thread_time
from unittest.mock import patch

from flask.testing import FlaskClient
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from benchmarks.authentication import ENDPOINT, ISSUER, PUBLIC_URL, NoMemory, door_for
from benchmarks.many_results import NOW, PATH
from benchmarks.memory_cost import about_another
from benchmarks.payload import request_body
from benchmarks.serving import machine
from cds_service.app import build_parts, create_app
from cds_service.call_phases import Phase
from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.response_json import encode_response
from cds_service.client_authentication.signing import Call, make_key, sign_token
from cds_service.services.cytopenia_review import HOOK
from cds_service.services.registry import CdsService
from cds_service.settings import Settings

CALLS = {4: 200, 60: 60, 1000: 15}
NAMES = {
    "parsing": "decode",
    "gathering": "select",
    "reading": "read",
    "validating": "of it validate",
    "assessing": "assess",
    "composing": "compose",
    "serialising": "serialise",
    "web": "all else: HTTP, Flask, log line",
    "keeping": "on top: remember (memory and audit on)",
    "knowing": "on top: authenticate (ES384)",
}
"""What each phase is called in the table."""
_WITHIN_WEB = ("parsing", "gathering", "reading", "assessing", "composing", "serialising")
Phases = Mapping[str, float]
"""Milliseconds of processor time by phase."""


@dataclass
class _Stopwatch:
    """A listener that sums up each phase's processor time; validation by fhir.resources counts as one."""

    laps: dict[str, float] = field(default_factory=dict)

    def begins(self, phase: Phase) -> None:
        """Note the time."""
        phase.span = thread_time()

    def ends(self, phase: Phase) -> None:
        """Count what has passed."""
        if isinstance(phase.span, float):
            self.count(phase.name, phase.span)

    def count(self, name: str, began: float) -> None:
        """This phase has run since then."""
        self.laps[name] = self.laps.get(name, 0.0) + (thread_time() - began) * 1000


@dataclass(frozen=True)
class _Service:
    """The service without and with memory and audit trail, and who hears of the phases of each."""

    review: CdsService
    plain: FlaskClient
    watch: _Stopwatch
    keeping: FlaskClient
    keepers_watch: _Stopwatch


def measure_phases(advance: Callable[[str], None]) -> dict[int, Phases]:
    """The phases of a call by the number of Observations, all of charts with a finding."""
    with _service() as service:
        found: dict[int, Phases] = {}
        for size, calls in CALLS.items():
            advance(f"phases: {size} Observations")
            found[size] = _phases(service, request_body(size, NOW), calls)
        return found


@contextmanager
def _service() -> Iterator[_Service]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/records.sqlite3"
        plain = Settings(auth="off", database_url=url, memory=False, audit=False, log_level="error")
        keeping = plain.model_copy(update={"memory": True, "audit": True})
        parts, watch, keepers_watch = build_parts(plain), _Stopwatch(), _Stopwatch()
        app = create_app(plain, lambda: NOW, parts, listeners=(watch,))
        keeper = create_app(keeping, lambda: NOW, listeners=(keepers_watch,))
        yield _Service(parts.services[0], app.test_client(), watch, keeper.test_client(), keepers_watch)


def _phases(service: _Service, body: bytes, calls: int) -> Phases:
    runs = [_laps(service, body) for _ in range(calls)][calls // 5 :]
    found = {phase: statistics.median(run[phase] for run in runs) for phase in runs[0]}
    found["web"] -= sum(found[phase] for phase in _WITHIN_WEB)
    found["keeping"] = _keeping_ms(service, body, calls)
    return found | {"knowing": authentication_ms()}


def _laps(service: _Service, body: bytes) -> Phases:
    """One call, phase by phase, and its answer made into bytes once more, since the rooms mark no phase of that."""
    service.watch.laps.clear()
    with _validation_counted(service.watch):
        _post(service.plain, body)
    answer, _ = service.review.answer(parse_request(body, HOOK), ANYONE, NOW)
    began = thread_time()
    encode_response(answer)
    service.watch.count("serialising", began)
    return dict(service.watch.laps)


@contextmanager
def _validation_counted(watch: _Stopwatch) -> Iterator[None]:
    """Each validation by a model of fhir.resources is counted while this is entered."""
    watch.laps["validating"] = 0.0
    validate = TypeAdapter.validate_python

    def timed(adapter: TypeAdapter[object], part: object) -> object:
        began = thread_time()
        try:
            return validate(adapter, part)
        finally:
            watch.count("validating", began)

    with patch.object(TypeAdapter, "validate_python", timed):
        yield


def _keeping_ms(service: _Service, body: bytes, calls: int) -> float:
    """The phases of memory and audit trail, and what other threads do behind the answers, in milliseconds a call."""
    laps = service.keepers_watch.laps
    bodies = [about_another(body) for _ in range(calls)]
    _post(service.keeping, about_another(body))
    laps.clear()
    began, own_began = process_time(), thread_time()
    for one in bodies:
        _post(service.keeping, one)
    behind = (process_time() - began) - (thread_time() - own_began)
    return (behind * 1000 + sum(laps.get(phase, 0.0) for phase in ("remembering", "auditing"))) / calls


def _post(client: FlaskClient, body: bytes) -> None:
    response = client.post(PATH, data=body, content_type="application/json")
    if response.status_code != 200 or b'"cards":[{' not in response.data:
        raise SystemExit("no card was given")


def authentication_ms(algorithm: str = "ES384", tokens: int = 100) -> float:
    """The median of knowing a client by its token; where used tokens are kept comes on top."""
    key = make_key(algorithm)
    call = Call(ISSUER, PUBLIC_URL + ENDPOINT)
    with tempfile.TemporaryDirectory() as folder:
        door = door_for(key, NoMemory(), Path(folder))
        signed = [sign_token(key, call, datetime.now(UTC)) for _ in range(tokens)]
        taken = []
        for token in signed:
            began = thread_time()
            door.authenticate(f"Bearer {token}", ENDPOINT)
            taken.append((thread_time() - began) * 1000)
    return statistics.median(taken[tokens // 5 :])


def main() -> None:
    """Measure and print."""
    console = Console()
    with console.status("measuring") as status:
        found = measure_phases(status.update)
    table = Table(title="A call with a card, ms of processor time by phase")
    for heading in ("phase", *(f"{size} Observations" for size in found)):
        table.add_column(heading, justify="right")
    for phase, name in NAMES.items():
        table.add_row(name, *(f"{phases[phase]:.2f}" for phases in found.values()))
    console.print(table)
    console.print(machine())


if __name__ == "__main__":
    main()
