"""The real server over the fake service: `python -m tests.web.fake_server DATABASE METRICS GATE` prints its URL."""

import dataclasses
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask

from cds_service.app import create_app
from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.request import CdsRequest
from cds_service.composition.parts import Parts
from cds_service.composition.records import open_records
from cds_service.services.registry import CallFacts
from cds_service.settings import Settings
from cds_service.web import server, worker
from cds_service.web.master import Operation
from cds_service.web.request_log import log_call
from tests.builders.fake_service import FakeService

GATED_ENCOUNTER = "waits-at-the-gate"


class GatedService(FakeService):
    """Waits with one encounter until somebody opens the gate, a named pipe, for writing."""

    gate = Path()

    def answer(self, request: CdsRequest, client: CdsClient, as_of: datetime) -> tuple[CdsResponse, CallFacts]:
        """As the fake service, once the gate is open."""
        if request.context.encounter_id == GATED_ENCOUNTER:
            self.gate.read_bytes()
        return super().answer(request, client, as_of)


@dataclasses.dataclass(frozen=True)
class FakeGeneration:
    """Always the same."""

    load: Callable[[], Flask]
    version: str = "synthetic"

    def discard(self) -> None:
        """Nothing is kept of it."""


def main() -> None:
    """Serve until stopped."""
    _, database, metrics_bind, gate = sys.argv
    GatedService.gate = Path(gate)
    settings = Settings(auth="off", database_url=database, max_body_bytes=100_000, memory=False)
    parts = Parts((GatedService(),), open_records(settings).feedback)
    worker.REQUEST_SECONDS = 2.0
    listen = dataclasses.replace(server.Listen(), port=0, threads=2)
    with server.private_folder():
        from cds_service.web.metrics import PhaseCounts, count_call  # noqa: PLC0415 - see private_folder
        from cds_service.web.metrics_listener import forget_process, listen_for_metrics  # noqa: PLC0415

        def make_app() -> Flask:
            return create_app(settings, parts=parts, observers=(log_call, count_call), listeners=(PhaseCounts(),))

        listen_for_metrics(metrics_bind)
        generation = FakeGeneration(make_app)
        operation = Operation(lambda: generation, forget_process)
        server.run_server(generation, operation, listen, lambda url: print(url, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
