"""docs/operations/metrics.md explains every metric with its labels, the words of the closed lists, and nothing else."""

import re
from pathlib import Path
from typing import get_args

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from cds_service import call_phases
from cds_service.fhir_reading.outcomes import Outcome
from cds_service.web import metrics

PAGE = (Path(__file__).parents[2] / "docs/operations/metrics.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(cds_\w+)(?:\{([\w,]*)\})?` \| (.+) \| `(.+)` \|$", PAGE, re.MULTILINE)


def _name(metric: MetricWrapperBase) -> str:
    return f"{metric._name}_total" if isinstance(metric, Counter) else metric._name


def test_every_metric_is_explained_with_its_labels_and_no_other_is() -> None:
    kept = {_name(one): one._labelnames for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)}
    assert {name: tuple(labels.split(",")) if labels else () for name, labels, _, _ in ROWS} == kept


def test_every_metric_has_a_question_and_a_query_that_asks_it() -> None:
    for name, _, question, query in ROWS:
        assert len(question) > 20
        assert name in query


def test_every_phase_and_outcome_is_explained() -> None:
    phases = set(get_args(call_phases.Name)) - {"web", "fetching"}
    row = next(question for name, _, question, _ in ROWS if name == "cds_phase_seconds")
    assert set(re.findall(r"`(\w+)`", row)) == phases
    outcomes = PAGE.partition("| outcome | meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", outcomes, re.MULTILINE) == [one.value for one in Outcome]
