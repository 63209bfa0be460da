"""The chart, rendered by the real helm as a site would render it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "cytopenia-cds"
HELM = Path(sys.executable).with_name("helm")
SETS: dict[str, Path | None] = {"default": None} | {path.stem: path for path in sorted(CHART.glob("ci/*-values.yaml"))}
"""The sets of values that are shipped, by name; None stands for the default values alone."""


class ChartRefused(Exception):
    """helm didn't render; the message is what it says to the operator."""


def run_helm(*arguments: object, values: Mapping[str, Any] | None = None) -> str:
    """What helm prints.

    Raises:
        ChartRefused: helm says no.
    """
    given = ("--values", "-") if values is not None else ()
    ran = subprocess.run(
        [HELM, *map(str, arguments), *given],
        input=yaml.safe_dump(dict(values or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if ran.returncode:
        raise ChartRefused(ran.stderr + ran.stdout)
    return ran.stdout


def render(path: Path | None = None, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The objects of the chart for the values of a file and more beside them."""
    file = ("--values", path) if path else ()
    told = run_helm("template", "cds", CHART, "--namespace", "cds", *file, values=values)
    return [document for document in yaml.safe_load_all(told) if document]


def pick(objects: list[dict[str, Any]], kind: str, suffix: str = "") -> dict[str, Any]:
    """The one object of that kind, and with that end to its name."""
    name = "cds-cytopenia-cds" + suffix
    (found,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def pod_templates(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each pod that the chart makes, now or later: what makes it, and metadata and spec."""
    for one in objects:
        spec = one.get("spec", {})
        match one["kind"]:
            case "Pod":
                yield one["kind"], one
            case "Deployment" | "Job":
                yield one["kind"], spec["template"]
            case "CronJob":
                yield one["kind"], spec["jobTemplate"]["spec"]["template"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All its containers, those that run first included."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
