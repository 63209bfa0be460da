"""deploy/compose.yaml as Docker Compose itself reads it, in a fresh clone without .env: what would run, and how."""

import json
import os
import re
import runpy
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cds_service.settings import SECRETS, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKER_COMPOSE = Path(sys.executable).with_name("docker-compose")
JOBS = {"secrets", "load", "migrate"}
PROFILES = {
    "minimal": {"secrets", "fhir", "load", "minimal"},
    "full": {
        "secrets", "fhir", "load", "migrate", "cytopenia-cds", "database", "redis", "nginx", "prometheus", "grafana",
    },
}  # fmt: skip
Services = Mapping[str, Mapping[str, Any]]


def _read(file: Path, profile: str) -> subprocess.CompletedProcess[str]:
    """What Docker Compose makes of a file, with nothing in its environment."""
    command = [str(DOCKER_COMPOSE), "--file", str(file), "--profile", profile, "config", "--format", "json"]
    nothing_set = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run(command, env=nothing_set, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def services(profile: str) -> Services:
    ran = _read(DEPLOY / "compose.yaml", profile)
    assert (ran.returncode, ran.stderr) == (0, "")
    read: Services = json.loads(ran.stdout)["services"]
    return read


def test_docker_compose_would_refuse_what_it_does_not_know(tmp_path: Path) -> None:
    careless = tmp_path / "compose.yaml"
    careless.write_text("services: {one: {image: a, restarts: always, profiles: [full]}}", encoding="utf-8")
    assert "restarts" in _read(careless, "full").stderr


def test_a_profile_brings_up_what_it_says(services: Services, profile: str) -> None:
    assert set(services) == PROFILES[profile]


def test_every_server_is_watched_and_comes_back_and_every_job_ends(services: Services) -> None:
    for name, service in services.items():
        assert service["restart"] == ("on-failure:3" if name in JOBS else "unless-stopped"), name
        assert bool(service.get("healthcheck")) == (name not in JOBS), name


def test_nothing_has_more_rights_or_resources_than_it_needs(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"cap_add", "privileged", "pid", "ipc"} & set(service), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert service.get("user") != "0:0" or service.get("network_mode") == "none", name


def test_every_image_is_one_version(services: Services) -> None:
    project = re.search(
        r'^version = "(.*)"', (DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert project
    for name, service in services.items():
        image, _, tag = service["image"].partition("@")[0].rpartition(":")
        assert re.search(r"\d+\.\d+", tag), name
        assert image != "cytopenia-cds" or tag == project[1]
        assert image == "cytopenia-cds" or image.startswith("docker.io/")


def test_only_this_machine_reaches_it_since_nobody_needs_a_token(services: Services) -> None:
    for name, service in services.items():
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", ())), name
        published = {port["target"] for port in service.get("ports", ())}
        assert name not in {"database", "redis"} or (not published and set(service["networks"]) == {"back"})


def test_no_secret_is_written_down_they_come_as_files(services: Services) -> None:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("(?i)password|secret|key|token|_url", variable) and variable != "CDS_PUBLIC_URL":
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert value.startswith("/run/secrets/"), f"{name}: {variable}"


def test_every_setting_of_the_service_is_one(services: Services) -> None:
    known = {f"CDS_{name}".upper() for name in Settings.model_fields} | {f"CDS_{name}_FILE".upper() for name in SECRETS}
    for service in services.values():
        assert {name for name in service.get("environment", {}) if name.startswith("CDS_")} <= known


def test_every_file_that_is_mounted_is_in_the_repository_and_read_only(services: Services) -> None:
    for name, service in services.items():
        for mount in service.get("volumes", ()):
            if mount["type"] == "bind":
                assert Path(mount["source"]).exists(), f"{name}: {mount['source']}"
                assert mount["read_only"], f"{name}: {mount['source']}"


def test_who_reads_a_secret_waits_until_it_is_made_and_finds_it(services: Services, secrets: Path) -> None:
    made = {mount["source"]: mount["target"].removeprefix("/secrets/") for mount in services["secrets"]["volumes"]}
    for name, service in services.items():
        mounted = {m["target"]: made[m["source"]] for m in service.get("volumes", ()) if m["source"] in made}
        if name != "secrets" and mounted:
            assert _waits_for("secrets", name, services), name
        for value in map(str, service.get("environment", {}).values()):
            if value.startswith("/run/secrets/"):
                folder, _, file = value.rpartition("/")
                assert (secrets / mounted[folder] / file).is_file(), f"{name}: {value}"


def _waits_for(job: str, name: str, services: Services) -> bool:
    needed = services[name].get("depends_on", {})
    return job in needed or any(_waits_for(job, other, services) for other in needed)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    _make(folder)
    return folder


def _make(folder: Path) -> None:
    runpy.run_path(str(DEPLOY / "compose" / "make_secrets.py"))["make_secrets"](folder)


def _texts(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_secrets_are_made_once_and_are_each_a_places_own(secrets: Path, tmp_path: Path) -> None:
    before = _texts(secrets)
    _make(secrets)
    assert _texts(secrets) == before
    _make(tmp_path)
    elsewhere = _texts(tmp_path)
    assert set(elsewhere) == set(before)
    assert not [name for name in before if elsewhere[name] == before[name]]


def test_a_secret_that_was_lost_is_made_anew_and_the_others_stay(tmp_path: Path) -> None:
    _make(tmp_path)
    before = _texts(tmp_path)
    (tmp_path / "cytopenia-cds" / "ops-token").unlink()
    _make(tmp_path)
    assert {name for name, text in _texts(tmp_path).items() if text != before[name]} == {"cytopenia-cds/ops-token"}


def test_both_sides_know_the_same_password(secrets: Path) -> None:
    texts = _texts(secrets)
    assert (
        texts["cytopenia-cds/database-url"]
        == f"postgresql+psycopg://cds:{texts['database/password']}@database:5432/cds"
    )
    assert texts["cytopenia-cds/redis-url"] == f"redis://:{texts['redis/password']}@redis:6379/0"
    assert f"requirepass {texts['redis/password']}\n" in texts["redis/redis.conf"]


def test_the_service_takes_the_secrets(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("database-url", "redis-url", "pseudonym-key", "ops-token"):
        monkeypatch.setenv(f"CDS_{name.replace('-', '_').upper()}_FILE", str(secrets / "cytopenia-cds" / name))
    settings = Settings()
    assert settings.ops_token
    assert settings.pseudonym_key


def test_the_certificate_belongs_to_the_key_and_names_this_machine(secrets: Path) -> None:
    certificate = secrets / "tls" / "server.pem"
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, secrets / "tls" / "server.key")
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "localhost" in names.value.get_values_for_type(x509.DNSName)
