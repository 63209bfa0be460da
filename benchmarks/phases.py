"""Where the time of a call goes, phase by phase at the borders of the rooms, in this process: `-m benchmarks.phases`.

Processor time, the median of some calls. What fhir.resources takes is counted inside the reading; what memory and the
audit trail take is the difference of whole calls.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from time import process_time
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
from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.response_json import encode_response
from cds_service.client_authentication.signing import Call, make_key, sign_token
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.hematology.assessment import assess
from cds_service.services.card_composer import CallerFacts
from cds_service.services.cytopenia_review import HOOK, CytopeniaReview
from cds_service.services.gathering import gather
from cds_service.services.prefetch_templates import REQUIRED
from cds_service.settings import Settings

CALLS = {4: 200, 60: 60, 1000: 15}
PHASES = ("decode", "select", "read", "of it validate", "assess", "compose", "serialise", "HTTP, log")
EXTRAS = ("remember", "authenticate")
Phases = Mapping[str, float]
"""Milliseconds of processor time by phase."""


def measure_phases(advance: Callable[[str], None]) -> dict[int, Phases]:
    """The phases of a call by the number of Observations, all of charts with a finding."""
    with _service() as (review, plain, keeping):
        found: dict[int, Phases] = {}
        for size in CALLS:
            advance(f"phases: {size} Observations")
            found[size] = _phases(size, review, plain, keeping)
        return found


@contextmanager
def _service() -> Iterator[tuple[CytopeniaReview, FlaskClient, FlaskClient]]:
    """The review, and clients of the service without and with memory and audit trail."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/records.sqlite3"
        plain = Settings(auth="off", database_url=url, memory=False, audit=False, log_level="error")
        keeping = plain.model_copy(update={"memory": True, "audit": True})
        parts = build_parts(plain)
        review = parts.services[0]
        assert isinstance(review, CytopeniaReview)
        apps = [create_app(settings, clock=lambda: NOW).test_client() for settings in (plain, keeping)]
        yield review, apps[0], apps[1]


def _phases(size: int, review: CytopeniaReview, plain: FlaskClient, keeping: FlaskClient) -> Phases:
    body, calls = request_body(size, NOW), CALLS[size]
    found = _median([_rooms(review, body) for _ in range(calls)][calls // 5 :])
    whole = _median([_whole(plain, keeping, body) for _ in range(calls)][calls // 5 :])
    in_rooms = sum(taken for phase, taken in found.items() if not phase.startswith("of it"))
    outside = {"HTTP, log": whole["plain"] - in_rooms, "remember": whole["keeping"] - whole["plain"]}
    return {**found, **outside, "authenticate": authentication_ms()}


def _median(runs: list[Phases]) -> dict[str, float]:
    return {phase: statistics.median(run[phase] for run in runs) for phase in runs[0]}


def _rooms(review: CytopeniaReview, body: bytes) -> Phases:
    """One call, room by room, as the conductor leads it."""
    clock = _Clock()
    request = parse_request(body, HOOK)
    documents = review.skimmer.documents(request.prefetch, request.context.patient_id)
    clock.lap("decode")
    fhir = review.fhir(ANYONE)
    gathered = gather(
        replace(request, prefetch=documents), review.description.prefetch, REQUIRED, fhir, review.deadline()
    )
    clock.lap("select")
    with _validation_counted() as validating:
        entries = tuple(chain.from_iterable(gathered.entries.values()))
        picture = read_clinical_picture(entries, request.context.patient_id, None, NOW, review.knowledge)
    clock.lap("read")
    assessment = assess(picture, review.knowledge.guideline, NOW)
    clock.lap("assess")
    caller = CallerFacts(request.hook_instance, request.context.user_type, request.context.patient_id, None)
    response = review.composer.compose(assessment, caller)
    clock.lap("compose")
    encode_response(response)
    clock.lap("serialise")
    return {**clock.laps, "of it validate": sum(validating) * 1000}


class _Clock:
    """Processor time between one lap and the next."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = process_time()

    def lap(self, name: str) -> None:
        """The time since the last lap was this phase's."""
        now = process_time()
        self.laps[name], self._last = (now - self._last) * 1000, now


@contextmanager
def _validation_counted() -> Iterator[list[float]]:
    """The seconds of each validation by a model of fhir.resources, while this is entered."""
    taken: list[float] = []
    validate = TypeAdapter.validate_python

    def timed(adapter: TypeAdapter[object], part: object) -> object:
        began = process_time()
        try:
            return validate(adapter, part)
        finally:
            taken.append(process_time() - began)

    with patch.object(TypeAdapter, "validate_python", timed):
        yield taken


def _whole(plain: FlaskClient, keeping: FlaskClient, body: bytes) -> Phases:
    """One whole call each, about a patient of its own."""
    clock = _Clock()
    for name, client in (("plain", plain), ("keeping", keeping)):
        call = about_another(body)
        clock.lap("aside")
        response = client.post(PATH, data=call, content_type="application/json")
        clock.lap(name)
        if response.status_code != 200 or not response.get_json()["cards"]:
            raise SystemExit("no card was given")
    return clock.laps


def authentication_ms(algorithm: str = "ES384", tokens: int = 100) -> float:
    """The median of knowing a client by its token; where used tokens are kept comes on top."""
    key = make_key(algorithm)
    call = Call(ISSUER, PUBLIC_URL + ENDPOINT)
    with tempfile.TemporaryDirectory() as folder:
        door = door_for(key, NoMemory(), Path(folder))
        signed = [sign_token(key, call, datetime.now(UTC)) for _ in range(tokens)]
        taken = []
        for token in signed:
            began = process_time()
            door.authenticate(f"Bearer {token}", ENDPOINT)
            taken.append((process_time() - began) * 1000)
    return statistics.median(taken[tokens // 5 :])


def main() -> None:
    """Measure and print."""
    console = Console()
    with console.status("measuring") as status:
        found = measure_phases(status.update)
    table = Table(title="A call with a card, ms of processor time by phase")
    for heading in ("phase", *(f"{size} Observations" for size in found)):
        table.add_column(heading, justify="right")
    for phase in (*PHASES, *EXTRAS):
        table.add_row(phase, *(f"{phases[phase]:.2f}" for phases in found.values()))
    console.print(table)
    console.print(machine())


if __name__ == "__main__":
    main()
