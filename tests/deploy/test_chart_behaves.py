"""What a cluster would run: hardened pods, secrets never in the open, settings that the service takes, no call lost."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings import Settings, load_settings, unknown_settings
from tests.builders.helm_chart import CHART, SETS, containers, environment, pick, pod_templates, render, run_helm

ROOT = Path(__file__).parents[2]
RENDERED = {name: render(path) for name, path in SETS.items()}
each_set = pytest.mark.parametrize("objects", RENDERED.values(), ids=list(RENDERED))


@each_set
def test_every_container_is_locked_down(objects: list[dict[str, Any]]) -> None:
    pods = list(pod_templates(objects))
    assert pods
    for _, pod in pods:
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, (
            "a Service called cds would put CDS_SERVICE_HOST into the environment"
        )
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] >= 10000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


@each_set
def test_every_mount_has_its_volume_and_tmp_can_be_written(objects: list[dict[str, Any]]) -> None:
    for kind, pod in pod_templates(objects):
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", ())}
        mounted = [mount for container in containers(pod) for mount in container.get("volumeMounts", ())]
        assert {mount["name"] for mount in mounted} == set(volumes)
        for container in pod["spec"]["containers"]:
            if container["command"] == ["cds-service"]:
                (tmp,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/tmp"]
                assert "emptyDir" in volumes[tmp["name"]], kind


@each_set
def test_the_chart_makes_no_secret_and_shows_none(objects: list[dict[str, Any]]) -> None:
    assert "Secret" not in {one["kind"] for one in objects}
    for _, pod in pod_templates(objects):
        for container in containers(pod):
            assert not re.search(r"secretKeyRef|envFrom.*secretRef", json.dumps(container)), "secrets are files"
    for name, value in pick(objects, "ConfigMap")["data"].items():
        assert name.endswith("_FILE") or "KEY" not in name
        if name == "CDS_DATABASE_URL":
            assert value.startswith("sqlite:")


@pytest.mark.parametrize("name", SETS)
def test_the_service_takes_the_settings_it_would_find(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment(RENDERED[name], tmp_path).items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert unknown_settings() == ()
    assert settings.metrics_bind == "0.0.0.0:9464"
    assert (settings.auth == "off") == (name == "try-out-values")
    if name == "air-gapped-values":
        assert _without_places(settings) == {
            "mode": "silent",
            "audit": True,
            "max_body_bytes": 33554432,
            "paused_findings": ("bicytopenia",),
            "accepted_statuses": ("final", "amended", "corrected", "unknown"),
            "concept_maps": ["inline/units-of-the-ward.json", "site/laboratory.json", "site/problem-list.json"],
        }
        assert settings.pseudonym_key is not None
        assert settings.pseudonym_key.get_secret_value() == "secret of pseudonym-key"


def _without_places(settings: Settings) -> dict[str, object]:
    names = ("mode", "audit", "max_body_bytes", "paused_findings", "accepted_statuses")
    maps = ["/".join(path.parts[-2:]) for path in settings.concept_maps]
    return {name: getattr(settings, name) for name in names} | {"concept_maps": maps}


@pytest.mark.parametrize(
    ("value", "told"),
    [(False, "off"), ("off", "off"), (True, "on"), ("on", "on")],
)
def test_a_switch_may_be_written_as_yaml_writes_it(value: object, told: str) -> None:
    objects = render(values={"settings": {"CDS_AUDIT": value}})
    assert pick(objects, "ConfigMap")["data"]["CDS_AUDIT"] == told


def test_an_empty_setting_is_left_to_its_default() -> None:
    assert "CDS_MODE" not in pick(render(values={"settings": {"CDS_MODE": ""}}), "ConfigMap")["data"]


@each_set
def test_calls_in_flight_are_waited_for(objects: list[dict[str, Any]]) -> None:
    drain = int(pick(objects, "ConfigMap")["data"].get("CDS_DRAIN_SECONDS", 0))
    assert pick(objects, "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= drain + 35


def test_replicas_are_replaced_one_at_a_time_and_never_missing_but_with_the_embedded_database() -> None:
    shared, alone = (pick(RENDERED[name], "Deployment")["spec"] for name in ("default", "try-out-values"))
    assert shared["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert alone["strategy"] == {"type": "Recreate"}, "two processes in two pods must not share one file"
    assert alone["replicas"] == 1


def test_autoscaling_alone_decides_about_replicas() -> None:
    objects = RENDERED["production-values"]
    assert "replicas" not in pick(objects, "Deployment")["spec"]
    scaler = pick(objects, "HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == pick(objects, "Deployment")["metadata"]["name"]


def _checksum(values: dict[str, Any]) -> str:
    annotations = pick(render(values=values), "Deployment")["spec"]["template"]["metadata"]["annotations"]
    return str(annotations["checksum/config"])


def test_a_changed_setting_or_concept_map_rolls_the_pods_and_nothing_else_does() -> None:
    before = _checksum({})
    assert _checksum({"settings": {"CDS_MODE": "silent"}}) != before
    assert _checksum({"secrets": {"CDS_REDIS_URL": {"name": "redis"}}}) != before
    one, other = ({"conceptMaps": {"inline": {"a.json": text}}} for text in ("{}", "{} "))
    assert len({before, _checksum(one), _checksum(other)}) == 3
    assert _checksum({"replicaCount": 5}) == before


@each_set
def test_services_policies_and_budgets_find_the_pods_they_are_for(objects: list[dict[str, Any]]) -> None:
    labels = [pod["metadata"]["labels"] for _, pod in pod_templates(objects)]
    selectors = [
        *(one["spec"]["selector"] for one in objects if one["kind"] == "Service"),
        *(one["spec"]["podSelector"]["matchLabels"] for one in objects if one["kind"] == "NetworkPolicy"),
        *(one["spec"]["selector"]["matchLabels"] for one in objects if one["kind"] == "PodDisruptionBudget"),
        *(one["spec"]["selector"]["matchLabels"] for one in objects if one["kind"] == "Deployment"),
    ]
    for selector in selectors:
        assert sum(selector.items() <= one.items() for one in labels) == 1, selector
    for label in labels:
        assert any(
            one["spec"]["podSelector"]["matchLabels"].items() <= label.items()
            for one in objects
            if one["kind"] == "NetworkPolicy"
        ), "no pod is without a policy"


def test_the_monitor_finds_the_metrics() -> None:
    objects = RENDERED["production-values"]
    (endpoint,) = pick(objects, "ServiceMonitor")["spec"]["endpoints"]
    wanted = pick(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    (service,) = [
        one for one in objects if one["kind"] == "Service" and wanted.items() <= one["metadata"]["labels"].items()
    ]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_ingress_has_the_host_that_tokens_are_bound_to() -> None:
    ingress = pick(RENDERED["air-gapped-values"], "Ingress")["spec"]
    (rule,) = ingress["rules"]
    assert rule["host"] == "cds.intern.example.org"
    assert ingress["tls"] == [{"hosts": ["cds.intern.example.org"], "secretName": "cds-intern-tls"}]


def test_the_migration_needs_nothing_that_is_made_after_it() -> None:
    objects = RENDERED["default"]
    hooks = {
        one["kind"]
        for one in objects
        if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    }
    assert hooks == {"Job", "ServiceAccount", "NetworkPolicy"}
    job = pick(objects, "Job", "-migrate")
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"] == ["migrate"]
    account = pick(objects, "ServiceAccount", "-migrate")["metadata"]
    assert pod["serviceAccountName"] == account["name"]
    assert int(account["annotations"]["helm.sh/hook-weight"]) < int(
        job["metadata"]["annotations"]["helm.sh/hook-weight"]
    )
    assert "configMap" not in json.dumps(pod)
    assert not any(one["kind"] == "Job" for one in RENDERED["try-out-values"]), "the embedded one is migrated at start"


def _egress_ports(policy: dict[str, Any]) -> list[list[int]]:
    return [sorted({port["port"] for port in rule["ports"]}) for rule in policy["spec"]["egress"]]


def test_egress_is_closed_but_for_names_database_redis_and_fhir_servers() -> None:
    policy = pick(RENDERED["production-values"], "NetworkPolicy")
    assert _egress_ports(policy) == [[53], [5432], [6379], [443]]
    assert all(rule["to"] for rule in policy["spec"]["egress"])
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_a_collector_of_traces_is_reached_once_it_is_named() -> None:
    place = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tracing"}}}]
    traced = {
        "settings": {"CDS_OTLP_ENDPOINT": "http://collector.tracing:4319"},
        "networkPolicy": {"collector": {"to": place, "port": 4319}},
    }
    policy = pick(render(values=traced), "NetworkPolicy")
    assert {"ports": [{"port": 4319, "protocol": "TCP"}], "to": place} in policy["spec"]["egress"]
    assert [4318] not in _egress_ports(pick(RENDERED["default"], "NetworkPolicy"))


def test_names_stay_within_what_kubernetes_takes() -> None:
    objects = render(values={"fullnameOverride": "n" * 63})
    assert max(len(one["metadata"]["name"]) for one in objects) <= 63


def test_the_alert_rules_are_those_that_promtool_tried() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    assert pick(RENDERED["production-values"], "PrometheusRule")["spec"] == told
    (endpoint,) = pick(RENDERED["production-values"], "ServiceMonitor")["spec"]["endpoints"]
    (job,) = endpoint["relabelings"]
    assert f'job="{job["replacement"]}"' in str(told), "the rules know the service by the name it is watched under"


@pytest.mark.parametrize("documentation", ["https://wiki.example.org/cds", "https://wiki.example.org/cds/"])
def test_alerts_link_to_the_runbook_where_the_site_keeps_it(documentation: str) -> None:
    rule = {"enabled": True, "documentation": documentation}
    objects = render(values={"monitoring": {"prometheusRule": rule}})
    rules = [rule for group in pick(objects, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    links = {one["alert"]: one["annotations"] for one in rules if "alert" in one}
    down = links["CytopeniaCdsDown"]["runbook_url"]
    assert down == "https://wiki.example.org/cds/operations/alerts.md#cytopeniacdsdown"
    assert all("runbook_url" in told and "runbook" not in told for told in links.values())


def test_the_packaged_chart_brings_its_alert_rules(tmp_path: Path) -> None:
    run_helm("package", CHART, "--destination", tmp_path)
    (archive,) = tmp_path.glob("*.tgz")
    enabled = ("--set", "monitoring.prometheusRule.enabled=true")
    assert "alert: CytopeniaCdsDown" in run_helm("template", archive, *enabled)
