"""The real server over the fake service: `python -m tests.web.fake_server DATABASE METRICS_BIND` prints its URL."""

import dataclasses
import sys
import time
from datetime import datetime

from cds_service.app import Parts, create_app, open_feedback_store
from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.request import CdsRequest
from cds_service.services.registry import CallFacts
from cds_service.settings import Settings
from cds_service.web import server
from cds_service.web.request_log import log_call
from tests.builders.fake_service import FakeService

SLOW_ENCOUNTER = "takes-a-second"


class SlowService(FakeService):
    """Takes a second for one encounter, so that a test can stop the server meanwhile."""

    def answer(self, request: CdsRequest, as_of: datetime) -> tuple[CdsResponse, CallFacts]:
        """As the fake service, late."""
        if request.context.encounter_id == SLOW_ENCOUNTER:
            time.sleep(1)
        return super().answer(request, as_of)


def main() -> None:
    """Serve until stopped."""
    _, database, metrics_bind = sys.argv
    settings = Settings(auth="off", database_url=database, max_body_bytes=100_000)
    parts = Parts((SlowService(),), open_feedback_store(settings))
    server.REQUEST_SECONDS = 2.0
    listen = dataclasses.replace(server.Listen(), port=0, threads=2)
    with server.shared_counts():
        from cds_service.web.metrics import count_call, listen_for_metrics  # noqa: PLC0415 - see shared_counts

        app = create_app(settings, parts=parts, observers=(log_call, count_call))
        listen_for_metrics(metrics_bind)
        server.run_server(app, listen, lambda url: print(url, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
