"""What the chart makes is what Kubernetes and the Prometheus Operator take, with every set of values shipped."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

from tests.builders.helm_chart import CHART, SETS, ChartRefused, render, run_helm

OPERATOR = {"ServiceMonitor": ServiceMonitor, "PrometheusRule": PrometheusRule}
KUBERNETES = ("1.27", kubernetes_validate.latest_version())
"""The oldest release the chart says it runs on, and the newest whose schemas there are."""


@pytest.mark.parametrize("name", SETS)
def test_helm_finds_no_fault(name: str) -> None:
    path = SETS[name]
    told = run_helm("lint", "--strict", CHART, *(("--values", path) if path else ()))
    assert "1 chart(s) linted, 0 chart(s) failed" in told


@pytest.mark.parametrize("release", KUBERNETES)
@pytest.mark.parametrize("name", SETS)
def test_every_object_is_one_that_kubernetes_knows(name: str, release: str) -> None:
    objects = render(SETS[name])
    kinds = {one["kind"] for one in objects}
    assert {"Deployment", "Service", "ConfigMap", "NetworkPolicy", "Pod"} <= kinds
    for one in objects:
        if one["kind"] in OPERATOR:
            _is_known_to_the_operator(one)
        else:
            kubernetes_validate.validate(one, release, strict=True)


def test_a_member_that_kubernetes_does_not_know_is_noticed() -> None:
    (service, *_) = [one for one in render() if one["kind"] == "Service"]
    service["spec"]["portz"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, KUBERNETES[0], strict=True)


def _is_known_to_the_operator(one: dict[str, Any]) -> None:
    read = OPERATOR[one["kind"]].model_validate(one)
    known = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert known == one, "members that the operator doesn't know are dropped"


def test_all_value_sets_together_make_every_kind_the_chart_can_make() -> None:
    made = {one["kind"] for path in SETS.values() for one in render(path)}
    templates = "".join(path.read_text(encoding="utf-8") for path in CHART.glob("templates/**/*.yaml"))
    written = {line.removeprefix("kind: ") for line in templates.splitlines() if line.startswith("kind: ")}
    assert made == written


def test_the_chart_is_of_the_version_of_the_software() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["appVersion"] == chart["version"] == project["version"]
    assert chart["kubeVersion"] == f">={KUBERNETES[0]}.0-0"


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(ChartRefused, match="incompatible with Kubernetes"):
        run_helm("template", CHART, "--kube-version", "1.26.9")


@pytest.mark.parametrize("name", SETS)
def test_the_notes_lead_to_discovery_and_say_what_it_is_for(name: str, tmp_path: Path) -> None:
    path = SETS[name]
    chart = shutil.copytree(CHART, tmp_path / CHART.name)  # helm shows notes to a cluster only
    (chart / "templates" / "NOTES.txt").rename(chart / "NOTES.txt")
    (chart / "templates" / "notes.yaml").write_text('notes: {{ tpl (.Files.Get "NOTES.txt") . | quote }}')
    told = run_helm("template", chart, "--show-only", "templates/notes.yaml", *(("--values", path) if path else ()))
    notes = yaml.safe_load(told)["notes"]
    assert "/cds-services\n" in notes
    assert "Intended use: " in notes
    assert ("! CDS_AUTH is off" in notes) == (name == "try-out-values")
    assert ("still the placeholder" in notes) == (name == "default")
