"""Values: every setting can be reached, wrong ones are named, what cannot work together is refused with a way out."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, ValidationError

from cds_service.settings import SECRETS, Settings
from deploy.helm.values_table import README, read_values, table
from tests.builders.helm_chart import CHART, SETS, ChartRefused, render

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
BY_OTHER_VALUES = {"CDS_CONCEPT_MAPS": "conceptMaps", "CDS_KNOWLEDGE_DIR": "knowledge", "CDS_METRICS_BIND": "metrics"}


def _names(value: str) -> set[str]:
    return set(SCHEMA["properties"][value]["properties"])


def test_every_documented_setting_can_be_set_in_one_place() -> None:
    example = (ROOT / "deploy" / "settings.example.env").read_text(encoding="utf-8")
    documented = set(re.findall(r"^(?:# )?(CDS_[A-Z_]+)=", example, re.MULTILINE))
    places = [_names("settings"), _names("secrets"), _names("files"), set(BY_OTHER_VALUES)]
    assert set().union(*places) == documented, "add a new setting to `settings` in values.schema.json"
    assert sum(map(len, places)) == len(documented), "a setting has one place"
    assert _names("secrets") == {"CDS_" + name.upper() for name in SECRETS}
    assert set(BY_OTHER_VALUES.values()) <= set(SCHEMA["properties"])


def test_the_schema_bounds_settings_as_the_service_does() -> None:
    fields = Settings.model_json_schema()["properties"]
    for name, told in SCHEMA["properties"]["settings"]["properties"].items():
        field = fields[name.removeprefix("CDS_").lower()]
        (kind,) = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
        assert told.get("minimum") == kind.get("minimum"), name
        assert told.get("maximum") == kind.get("maximum"), name
        if "enum" in kind:
            assert set(told["enum"]) - {"", False} == set(kind["enum"]), name
        if kind.get("type") == "boolean":
            assert told == {"$ref": "#/definitions/switch"}, name


def test_the_readme_lists_every_value_with_its_default() -> None:
    assert table(read_values()) in README.read_text(encoding="utf-8"), "python -m deploy.helm.values_table"


def test_every_value_is_explained() -> None:
    for value in read_values():
        assert value.meaning, value.path


def _leaves(schema: dict[str, Any], path: str = "") -> set[str]:
    schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "properties" not in schema or schema.get("additionalProperties") is not False:
        return {path}
    return set().union(*(_leaves(part, f"{path}.{name}".strip(".")) for name, part in schema["properties"].items()))


def test_the_schema_knows_the_values_and_no_others() -> None:
    listed = {value.path for value in read_values()}
    for leaf in _leaves(SCHEMA) - {"global"}:
        inside = any(leaf == path or leaf.startswith(path + ".") for path in listed)
        assert inside or leaf.startswith("settings."), leaf
    for path in listed:
        assert any(
            leaf == path or leaf.startswith(path + ".") or path.startswith(leaf + ".") for leaf in _leaves(SCHEMA)
        )


def _nested(path: str, value: object) -> dict[str, Any]:
    for name in reversed(path.split("/")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("replicas", 3),
        ("replicaCount", 0),
        ("replicaCount", "3"),
        ("image/tag", "with space"),
        ("image/digest", "sha256:short"),
        ("image/pullPolicy", "Sometimes"),
        ("server/workers", 65),
        ("server/threads", 0),
        ("settings/CDS_AUHT", "off"),
        ("settings/CDS_AUTH", "maybe"),
        ("settings/CDS_AUTH", True),
        ("settings/CDS_DATABASE_URL", "postgresql://with:password@db/cds"),
        ("settings/CDS_PSEUDONYM_KEY", "a-key-that-would-be-in-git"),
        ("settings/CDS_PUBLIC_URL", "cds.example.org"),
        ("settings/CDS_PUBLIC_URL", "https://user@cds.example.org"),
        ("settings/CDS_PUBLIC_URL", "https://cds.example.org?a=b"),
        ("settings/CDS_HTTPS_PROXY", "http://user:password@proxy.example.org"),
        ("settings/CDS_TIME_BUDGET_MS", 99),
        ("settings/CDS_TIME_BUDGET_MS", "2s"),
        ("settings/CDS_MAX_BODY_BYTES", 1),
        ("settings/CDS_RATE_LIMIT", "600 a minute"),
        ("settings/CDS_MODE", "loud"),
        ("settings/CDS_PAUSED_FINDINGS", ["leukopaenia"]),
        ("settings/CDS_ACCEPTED_STATUSES", ["entered-in-error"]),
        ("settings/CDS_QUIET_DAYS", "not-relevant"),
        ("settings/CDS_AUDIT", "sometimes"),
        ("secrets/CDS_DATABASE_URL/value", "postgresql://db/cds"),
        ("secrets/CDS_DATABASE_URL/name", "No_Such_Name"),
        ("secrets/CDS_LOG_LEVEL", {"name": "x", "key": "y"}),
        ("files/CDS_TRUSTED_CLIENTS/path", "/etc/clients.toml"),
        ("files/CDS_TRUSTED_CLIENTS/file", "../clients.toml"),
        ("conceptMaps/inline", {"a/b.json": "{}"}),
        ("conceptMaps/files", "laboratory.json"),
        ("purge/schedule", "daily"),
        ("persistence/size", "big"),
        ("service/port", 0),
        ("service/annotations", {"example.org/flag": True}),
        ("ingress/host", "cds.example.org"),
        ("metrics/port", 99999),
        ("monitoring/serviceMonitor/interval", "often"),
        ("autoscaling/targetCPUUtilizationPercentage", 0),
        ("podDisruptionBudget/maxUnavailable", 0),
        ("podDisruptionBudget/maxUnavailable", "half"),
        ("networkPolicy/ingressFrom", [{"namespace": "ingress"}]),
        ("networkPolicy/ingressFrom", [{}]),
        ("networkPolicy/fhirServers/ports", ["https"]),
        ("probes/liveness/path", "/"),
        ("terminationGracePeriodSeconds", 0),
        ("extraEnv", [{"value": "x"}]),
        ("resources/request", {"cpu": 1}),
    ],
)
def test_a_wrong_value_is_named(path: str, value: object) -> None:
    errors = list(Draft7Validator(SCHEMA).iter_errors(_nested(path, value)))
    assert any(_names_it(error, path) for error in errors), errors


def _names_it(error: ValidationError, path: str) -> bool:
    place = "/".join(map(str, error.absolute_path))
    unknown = error.validator == "additionalProperties" and place == path.rpartition("/")[0]
    return (place == path or place.startswith(path + "/")) or (unknown and path.rpartition("/")[2] in error.message)


VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
OF_ONE_REPLICA: dict[str, Any] = {
    "replicaCount": 1,
    "settings": {"CDS_AUTH": "off", "CDS_ALLOW_HTTP": "on", "CDS_OTLP_ENDPOINT": "http://collector:4318"},
    "secrets": {"CDS_REDIS_URL": {"name": "redis"}},
    "files": {"CDS_CA_BUNDLE": {"secret": "authorities"}},
    "ingress": {"enabled": True, "tlsSecret": "tls"},
    "monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
}


def _with_null(values: dict[str, Any], path: str) -> dict[str, Any]:
    *folders, name = path.split(".")
    changed = node = copy.deepcopy(values)
    for folder in folders:
        node = node.setdefault(folder, {})
    node[name] = None
    return changed


def _refused_for_want_of(path: str) -> bool:
    """Whether the schema names this value when it is null: helm takes it out of the defaults before it looks."""
    parent, _, name = path.rpartition(".")
    changed = node = copy.deepcopy(VALUES)
    for folder in filter(None, parent.split(".")):
        node = node[folder]
    del node[name]
    return any(
        error.validator == "required"
        and ".".join(map(str, error.absolute_path)) == parent
        and error.message.startswith(f"'{name}' ")
        for error in Draft7Validator(SCHEMA).iter_errors(changed)
    )


def _paths() -> Iterator[str]:
    for value in read_values():
        names = value.path.split(".")
        yield from (".".join(names[:end]) for end in range(1, len(names) + 1))


def _nulls(part: object) -> bool:
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return part is None or any(map(_nulls, parts))


@pytest.mark.parametrize("path", sorted(set(_paths())))
def test_a_value_that_is_null_is_as_if_empty_or_refused_by_its_name(path: str) -> None:
    assert _refused_for_want_of(path) or not any(map(_nulls, render(values=_with_null(OF_ONE_REPLICA, path))))


def test_helm_tells_which_value_is_null() -> None:
    with pytest.raises(ChartRefused, match=r"image: repository is required"):
        render(values={"image": {"repository": None}})


def test_helm_holds_values_against_the_schema() -> None:
    with pytest.raises(ChartRefused, match=r"settings.CDS_AUTH: settings.CDS_AUTH must be one of the following"):
        render(values={"settings": {"CDS_AUTH": "maybe"}})
    with pytest.raises(ChartRefused, match="Additional property CDS_AUHT is not allowed"):
        render(values={"settings": {"CDS_AUHT": "off"}})


WITHOUT_SECRET: dict[str, Any] = {"name": ""}
ALONE = {"replicaCount": 1, "secrets": {"CDS_DATABASE_URL": WITHOUT_SECRET}}


@pytest.mark.parametrize(
    ("values", "way_out"),
    [
        ({"secrets": {"CDS_DATABASE_URL": WITHOUT_SECRET}}, "secrets.CDS_DATABASE_URL.name"),
        (ALONE | {"autoscaling": {"enabled": True}}, "autoscaling.enabled: false"),
        ({"secrets": {"CDS_PSEUDONYM_KEY": WITHOUT_SECRET}}, "secrets.CDS_PSEUDONYM_KEY.name"),
        ({"files": {"CDS_SMART_REGISTRATIONS": {"secret": "smart"}}}, "secrets.CDS_SESSION_KEY.name"),
        ({"files": {"CDS_TRUSTED_CLIENTS": {"secret": ""}}}, 'settings.CDS_AUTH: "off"'),
        ({"files": {"CDS_TRUSTED_CLIENTS": {"configMap": "too"}}}, "keep one"),
        ({"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}, "resources.requests.cpu"),
        ({"autoscaling": {"enabled": True, "minReplicas": 11}}, "autoscaling.minReplicas"),
        ({"persistence": {"enabled": True}}, "persistence.enabled: false"),
        ({"purge": {"enabled": True}}, "settings.CDS_RETENTION_DAYS"),
        (ALONE | {"purge": {"enabled": True}, "settings": {"CDS_RETENTION_DAYS": "audit=9"}}, "purge.enabled: false"),
        ({"autoscaling": {"enabled": True}, "resources": None}, "resources.requests.cpu"),
        ({"secrets": {"CDS_DATABASE_URL": None}}, "secrets.CDS_DATABASE_URL.name"),
        ({"files": {"CDS_TRUSTED_CLIENTS": None}}, "files.CDS_TRUSTED_CLIENTS.secret"),
        ({"ingress": {"enabled": True}}, "ingress.tlsSecret"),
        ({"settings": {"CDS_PUBLIC_URL": "http://cds.example.org"}}, 'settings.CDS_ALLOW_HTTP: "on"'),
        (
            {"settings": {"CDS_PUBLIC_URL": "https://a.example.org/b"}, "ingress": {"enabled": True, "tlsSecret": "t"}},
            "ingress.enabled: false",
        ),
        ({"conceptMaps": {"files": ["a.json"]}}, "conceptMaps.configMap"),
        ({"conceptMaps": {"configMap": "maps"}}, "conceptMaps.files"),
        ({"metrics": {"enabled": False}, "monitoring": {"serviceMonitor": {"enabled": True}}}, "metrics.enabled: true"),
        ({"terminationGracePeriodSeconds": 39}, "40 here"),
        ({"settings": {"CDS_TIME_BUDGET_MS": 22001}}, "61 here"),
    ],
)
def test_what_cannot_work_together_is_refused_with_a_way_out(values: dict[str, Any], way_out: str) -> None:
    with pytest.raises(ChartRefused) as refused:
        render(values=values)
    told = str(refused.value)
    assert "These values can't work together:" in told
    assert way_out in told
    assert told.count("\n- ") == 1, "nothing else is wrong with it"


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ChartRefused) as refused:
        render(values={"secrets": {"CDS_DATABASE_URL": WITHOUT_SECRET, "CDS_PSEUDONYM_KEY": WITHOUT_SECRET}})
    assert str(refused.value).count("\n- ") == 2


def test_one_replica_may_do_without_any_secret() -> None:
    path = SETS["try-out-values"]
    assert {one["kind"] for one in render(path)} >= {"Deployment", "Service"}
