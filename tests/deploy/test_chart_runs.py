"""A replica as rendered, run as a process: its command, settings and mounted files; then its probes and its test."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.client_authentication.signing import make_key, public_key_set
from tests.builders.helm_chart import SETS, environment, pick, render
from tests.builders.serving import Served, serving

CLIENTS = '[[client]]\nissuer = "https://ehr.example.org/fhir"\njwks_file = "ehr.jwks.json"\n'
pytestmark = pytest.mark.server


@contextmanager
def _replica(objects: list[dict[str, Any]], root: Path, settings: dict[str, str]) -> Iterator[Served]:
    (server,) = pick(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert server["command"] == ["cds-service"]
    subcommand, host, _, port, listened, *options = server["args"]
    assert (subcommand, host, port) == ("serve", "--host", "--port")
    assert listened == str(server["ports"][0]["containerPort"])
    with serving(root, *options, **settings | {"CDS_METRICS_BIND": "off"}) as served:
        yield served


def _probes(objects: list[dict[str, Any]], url: str) -> list[int]:
    (server,) = pick(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    probes = [server[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert {probe["port"] for probe in probes} == {server["ports"][0]["name"]}
    return [requests.get(url + probe["path"], timeout=20).status_code for probe in probes]


def _helm_test(objects: list[dict[str, Any]], url: str) -> int:
    (container,) = pick(objects, "Pod", "-test")["spec"]["containers"]
    python, *rest, service, door = container["command"]
    assert (python, service) == ("python3", "http://cds-cytopenia-cds.cds.svc:80")
    return subprocess.run([sys.executable, *rest, url, door], timeout=60, check=False).returncode


def test_a_try_starts_answers_its_probes_and_passes_its_test(tmp_path: Path) -> None:
    objects = render(SETS["try-out-values"])
    closed = render()
    with _replica(objects, tmp_path, environment(objects, tmp_path)) as served:
        assert _probes(objects, served.url) == [200, 200, 200]
        assert _helm_test(objects, served.url) == 0
        assert _helm_test(closed, served.url) == 1, "an open door is noticed where values say that it is closed"


def test_a_replica_for_trusted_clients_finds_its_secrets_as_files(tmp_path: Path) -> None:
    objects = render()
    secrets = tmp_path / "etc" / "cytopenia-cds"
    settings = environment(objects, tmp_path) | {"CDS_DATABASE_URL": ""}
    (secrets / "secrets" / "CDS_DATABASE_URL").write_text(f"sqlite:///{tmp_path}/records.sqlite3\n", encoding="utf-8")
    (secrets / "trusted-clients" / "ehr.jwks.json").write_text(public_key_set(make_key("ES384")), encoding="utf-8")
    (secrets / "trusted-clients" / "trusted-clients.toml").write_text(CLIENTS, encoding="utf-8")
    with _replica(objects, tmp_path, settings) as served:
        assert _probes(objects, served.url) == [200, 200, 200]
        assert _helm_test(objects, served.url) == 0
    assert (tmp_path / "records.sqlite3").exists(), "the database is the one that the Secret names"
