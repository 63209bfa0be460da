"""The image as it is written: clean by hadolint, made of locked parts, and given nothing that it shouldn't hold.

That it builds, runs on a read-only root and answers is tried by `deploy/try-image.sh`, with a container engine.
"""

import fnmatch
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cds_service.cli import serve

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def _instructions(name: str) -> list[str]:
    """What follows an instruction's name, each as one line."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in text.splitlines() if line.startswith(name + " ")]


def _copied() -> list[str]:
    """The files of the project that come into a build."""
    copies = [shlex.split(line) for line in _instructions("COPY") if "--from" not in line]
    return [source for words in copies for source in words[:-1]]


def test_hadolint_finds_nothing() -> None:
    ran = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM debian\nRUN cd / && apt-get install curl\nUSER root\n", encoding="utf-8")
    found = subprocess.run([HADOLINT, "--format", "json", careless], capture_output=True, text=True, check=False).stdout
    assert {"DL3006", "DL3008", "DL3002"} <= {flaw["code"] for flaw in json.loads(found)}


def test_the_base_can_be_pinned_and_is_the_same_in_every_stage() -> None:
    name, _, base = _instructions("ARG")[0].partition("=")
    assert name == "BASE"
    assert re.fullmatch(r"[a-z./]+:[\w.-]+(@sha256:[0-9a-f]{64})?", base)
    assert [line.split()[0] for line in _instructions("FROM")] == ["${BASE}", "${BASE}", "scratch"]


def test_what_the_wheel_is_made_of_is_copied_and_let_in() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        project["project"]["readme"],
        "LICENSE",
        "NOTICE",
        "pyproject.toml",
        *wheel["packages"],
        *wheel["force-include"],
    }
    assert needed <= set(_copied())


def test_the_build_is_given_only_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[lines.index("*") - 1].startswith("#")
    admitted = [line[1:] for line in lines if line.startswith("!")]
    copied = [source.replace("${LOCK}", "requirements-service.txt") for source in _copied()]
    assert all(any(fnmatch.fnmatch(source, pattern) for pattern in admitted) for source in copied)
    assert all(any(fnmatch.fnmatch(source, pattern) for source in copied) for pattern in admitted)
    assert all((ROOT / source).exists() for source in copied)


def test_it_runs_as_a_numbered_user_who_is_not_root_and_is_asked_where_it_listens() -> None:
    assert _instructions("USER") == ["10001:10001"]
    assert json.loads(_instructions("ENTRYPOINT")[0]) == ["cds-service"]
    command = json.loads(_instructions("CMD")[-1])
    assert command == ["serve", "--host", "0.0.0.0"]
    port = next(option.default for option in serve.params if option.name == "port")
    asked = _instructions("HEALTHCHECK")[0]
    assert f'"cds_service.healthcheck", "http://127.0.0.1:{port}/livez"' in asked
    assert "curl" not in asked
    assert str(port) in _instructions("EXPOSE")[0].split()


@pytest.mark.parametrize("instruction", ["ENV", "ARG", "LABEL"])
def test_no_secret_is_written_into_it(instruction: str) -> None:
    assert not re.search(r"(?i)password|token|secret|_key|index_url|credential", " ".join(_instructions(instruction)))


def test_libraries_are_installed_by_hash_and_never_built() -> None:
    pattern = re.compile(r"pip(?: --python \S+)? install (.*?)(?:&&|$)")
    installs = [options for line in _instructions("RUN") for options in pattern.findall(line)]
    assert installs
    for options in installs:
        assert "--no-index" in options or ("--require-hashes" in options and "--only-binary :all:" in options)
