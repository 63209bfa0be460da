"""What the project asks for is what a fresh clone installs: each declared dependency is pinned in its lock file."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEDPLUM = ROOT / "tests" / "contract" / "fhir_server" / "medplum"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUN = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["build"]]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {_normalised(line.partition("==")[0]) for line in lines if "==" in line}


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.txt", RUN),
        ("requirements-dev.txt", [*RUN, *PROJECT["optional-dependencies"]["dev"]]),
    ],
)
def test_every_declared_dependency_is_pinned(file: str, declared: list[str]) -> None:
    names = {_normalised(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in declared}
    assert not names - _pinned(file), "run `make lock`"


def test_npms_lock_file_pins_by_hash_and_records_no_download_address() -> None:
    packages = json.loads((MEDPLUM / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    own = packages.pop("")
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
    assert own["dependencies"] == json.loads((MEDPLUM / "package.json").read_text(encoding="utf-8"))["dependencies"]
