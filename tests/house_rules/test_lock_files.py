"""What the project asks for is what a fresh clone installs: each declared dependency is pinned in its lock file."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEDPLUM = ROOT / "tests" / "contract" / "fhir_server" / "medplum"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUN = [*PROJECT["dependencies"], *EXTRAS["build"]]
IMAGE = [*PROJECT["dependencies"], *EXTRAS["otel"], *EXTRAS["postgresql"]]
"""What every image holds: no setting that the chart offers may need an extra that isn't there."""


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {_normalised(line.partition("==")[0]) for line in lines if "==" in line}


def _hashes(file: str) -> dict[str, set[str]]:
    """Each pinned library of a lock file with the hashes of its files."""
    entries = re.split(r"^(?=\S+==)", (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {entry.split()[0]: set(re.findall(r"sha256:[0-9a-f]{64}", entry)) for entry in entries}


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.txt", RUN),
        ("requirements-dev.txt", [*RUN, *EXTRAS["dev"]]),
        ("deploy/requirements-service.txt", IMAGE),
        ("deploy/requirements-trend.txt", [*IMAGE, *EXTRAS["sandbox"]]),
        ("deploy/requirements-build.txt", ["hatchling"]),
    ],
)
def test_every_declared_dependency_is_pinned(file: str, declared: list[str]) -> None:
    names = {_normalised(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in declared}
    assert not names - _pinned(file), "run `make lock`"


@pytest.mark.parametrize("image", ["service", "trend", "build"])
def test_an_image_installs_what_was_tested(image: str) -> None:
    tested, installed = _hashes("requirements.txt"), _hashes(f"deploy/requirements-{image}.txt")
    assert installed
    assert installed == {pin: tested.get(pin) for pin in installed}, "run `make lock`"


def test_npms_lock_file_pins_by_hash_and_records_no_download_address() -> None:
    packages = json.loads((MEDPLUM / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    own = packages.pop("")
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
    assert own["dependencies"] == json.loads((MEDPLUM / "package.json").read_text(encoding="utf-8"))["dependencies"]
