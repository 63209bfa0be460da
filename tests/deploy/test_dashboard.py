"""The Grafana dashboard: made by its script, of metrics that there are, and each of its queries answered by a real
Prometheus that scrapes the real service while it is called, refused, quieted and let down.
"""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.grafana.dashboard import FILE, ROWS, dashboard
from tests.builders import chart
from tests.builders.client_tokens import (
    BY_FILE,
    SERVICE,
    bearer_now,
    trusting,
)
from tests.builders.counted import metric_names
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub
from tests.builders.ports import free_port
from tests.builders.prometheus import Prometheus, parse_errors, prometheus, rules
from tests.builders.serving import Served, serving

QUERIES = {
    (panel.title, name): query.replace("$__rate_interval", "15s").replace("$tenant", ".*")
    for row in ROWS.values()
    for panel in row
    for query, name in panel.queries
}


def test_it_is_as_its_script_makes_it() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == dashboard()


def test_it_asks_for_metrics_that_there_are_in_queries_that_can_be_read(tmp_path: Path) -> None:
    asked = {name for query in QUERIES.values() for name in re.findall(r"\bcds[_:][\w:]+", query)}
    assert asked <= metric_names() | {rule["record"] for rule in rules() if "record" in rule}
    assert parse_errors(list(QUERIES.values()), tmp_path) == ""


def test_panels_lie_side_by_side_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    panels: Any = dashboard()["panels"]
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    with fhir_stub({"Patient/": chart.patient(), "Observation": Reply({}, 500)}) as serving_stub:
        yield serving_stub


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Prometheus]]:
    """The service for one client, and a Prometheus that scrapes it."""
    folder, metrics = tmp_path_factory.mktemp("service"), f"127.0.0.1:{free_port()}"
    settings = trusting(folder, f'{BY_FILE}\ntenant = "north"\nfhir_servers = ["http://127.0.0.1:*/fhir"]')
    settings["CDS_RECORDS_WRITES"] = "before"  # feedback follows at once here, to whichever process
    with (
        serving(folder, CDS_METRICS_BIND=metrics, CDS_PSEUDONYM_KEY="synthetic-key-of-this-test", **settings) as served,
        prometheus(tmp_path_factory.mktemp("prometheus"), metrics) as scraping,
    ):
        yield served, scraping


def _post(served: Served, body: Any, below: str = "", authorization: str | None = None) -> requests.Response:
    url = SERVICE + below
    headers = {"Authorization": authorization or bearer_now(url)}
    return requests.post(served.url + url, json=body, headers=headers, timeout=20)


def _a_day_at_the_hospital(served: Served, stub: FhirStub) -> None:
    """Low counts, of which one is without a unit; feedback that quiets them; a failing FHIR server; a stranger."""
    today = (chart.AS_OF - datetime.now(UTC)).total_seconds() / 86400
    notes: list[dict[str, Any]] = [{"wbc": 2.9, "days": today + 1}, {"wbc": 3.1, "days": today + 21}]
    low = chart.prefetch([*notes, {"plt": 88, "days": today + 1}, {"wbc": 4, "unit": None, "days": today + 300}])
    missing = {key: value for key, value in low.items() if key != "conditions"}

    def call(prefetched: dict[str, Any]) -> requests.Response:
        instance = {"hookInstance": str(uuid.uuid4()), "fhirServer": stub.base}
        return _post(served, chart.call(prefetched) | instance)

    shown = call(missing).json()["cards"]
    if shown:
        reason = {key: shown[0]["overrideReasons"][0][key] for key in ("code", "system")}
        entry = {"card": shown[0]["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}}
        told = _post(served, {"feedback": [entry | {"outcomeTimestamp": datetime.now(UTC).isoformat()}]}, "/feedback")
        assert told.status_code == 200
    assert call({}).status_code == 412
    assert _post(served, chart.call(low), authorization="Bearer no.token.atall").status_code == 401
    child = chart.call(low) | {"context": {"userId": "Patient/p", "patientId": chart.PATIENT}}
    assert _post(served, child | {"hookInstance": str(uuid.uuid4())}).status_code == 200


@pytest.mark.server
def test_every_query_is_answered_by_a_prometheus_that_watches_the_service(
    watched: tuple[Served, Prometheus], stub: FhirStub
) -> None:
    served, scraping = watched
    scraping.comes_to_say("cds_build_info")
    for calls in (1, 2, 3):
        _a_day_at_the_hospital(served, stub)
        scraping.comes_to_say(f'sum(cds_calls_total{{endpoint="call",status="4xx"}}) >= {2 * calls}')
    scraping.comes_to_say('sum(rate(cds_calls_total{endpoint="call",status="2xx"}[15s])) > 0')
    scraping.comes_to_say("cds:results_set_aside:share1h")
    silent = {panel: query for panel, query in QUERIES.items() if not scraping.ask(query)}
    assert silent == {}
