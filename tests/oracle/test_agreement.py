"""Two ways of computing one thing must agree: the service, and a naive reading of the criteria's text.

`ORACLE_CHARTS` is the number of charts of the seeded run, `ORACLE_SEED` the first seed.
"""

import json
import os
import random
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle import charts
from tests.oracle.oracle import Lists, evaluate
from tests.oracle.reasons import CLASS

Json = dict[str, Any]
CHARTS = int(os.environ.get("ORACLE_CHARTS", "1000"))
SEED = int(os.environ.get("ORACLE_SEED", "1"))
BATCHES = 12


@dataclass(frozen=True)
class Told:
    """What an answer says, in a form that both sides can be brought to."""

    verdicts: dict[str, str]
    indicator: str | None
    causes: dict[str, set[str]]
    context: dict[str, set[str]]
    not_used: set[tuple[str, str]]


def call(prefetch: Json) -> Json:
    return {
        "hook": "patient-view",
        "hookInstance": "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11",
        "context": {"userId": "Practitioner/synthetic-p1", "patientId": charts.PATIENT},
        "prefetch": prefetch,
    }


def told_by_service(client: FlaskClient, prefetch: Json) -> Told:
    answer = client.post("/cds-services/cytopenia-review", json=call(prefetch))
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assessment = body["extension"]["org.cytopenia-cds.assessment"]
    return Told(
        {one["finding"]: one["verdict"] for one in assessment["findings"]},
        body["cards"][0]["indicator"] if body["cards"] else None,
        _evidence(assessment.get("causeGroups", [])),
        _evidence(assessment.get("context", [])),
        {(one["reference"], CLASS[one["reason"]]) for one in assessment.get("notUsed", [])},
    )


def _evidence(groups: list[Json]) -> dict[str, set[str]]:
    return {group["group"]: {one["reference"] for one in group["evidence"]} for group in groups}


def told_by_oracle(prefetch: Json, lists: Lists) -> Told:
    verdict = evaluate(prefetch, charts.PATIENT, charts.AS_OF, lists)
    findings = {
        "leukopenia": verdict.leukopenia,
        "thrombocytopenia": verdict.thrombocytopenia,
        "bicytopenia": verdict.bicytopenia,
    }
    return Told(findings, verdict.indicator, verdict.causes, verdict.context, verdict.not_used)


def assert_agree(client: FlaskClient, lists: Lists, resources: list[Json]) -> None:
    prefetch = charts.prefetch_of(resources)
    service, oracle = told_by_service(client, prefetch), told_by_oracle(prefetch, lists)
    assert service == oracle, "\n".join(json.dumps(one, ensure_ascii=False) for one in resources)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_service_and_oracle_agree_on_charts_drawn_around_every_limit(
    client: FlaskClient, lists: Lists, batch: int
) -> None:
    for seed in range(SEED + batch, SEED + CHARTS, BATCHES):
        assert_agree(client, lists, charts.chart(random.Random(seed), lists))


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(source=st.randoms(use_true_random=False))
def test_service_and_oracle_agree_on_charts_that_shrink(
    client: FlaskClient, lists: Lists, source: random.Random
) -> None:
    assert_agree(client, lists, charts.chart(source, lists))
