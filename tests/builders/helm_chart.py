"""The chart, rendered by the real helm as a site would render it."""

import re
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


def environment(objects: list[dict[str, Any]], root: Path) -> dict[str, str]:
    """The variables of the service, and under `root` the files that they name, as kubelet would mount them."""
    pod = pick(objects, "Deployment")["spec"]["template"]
    (server,) = pod["spec"]["containers"]
    variables: dict[str, str] = pick(objects, "ConfigMap")["data"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    for mount in server["volumeMounts"]:
        folder = root / mount["mountPath"].removeprefix("/")
        folder.mkdir(parents=True)
        for source in volumes[mount["name"]].get("projected", {}).get("sources", ()):
            for item in source["secret"]["items"]:
                (folder / item["path"]).write_text(f"secret of {item['key']}", encoding="utf-8")
    for variable in ("CDS_TRUSTED_CLIENTS", "CDS_SMART_REGISTRATIONS", "CDS_CA_BUNDLE", "CDS_CLIENT_CERT"):
        if variable in variables:
            (root / variables[variable].removeprefix("/")).write_text("", encoding="utf-8")
    for file in filter(None, variables.get("CDS_CONCEPT_MAPS", "").split(",")):
        (root / file.removeprefix("/")).write_text("", encoding="utf-8")
    return {name: re.sub(r"(^|,|sqlite:///)/(etc|var)/", rf"\1{root}/\2/", value) for name, value in variables.items()}
