"""The bill of materials: every locked library, each with its licence, and the same bytes each time."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
LOCKED = ROOT / "deploy" / "requirements-service.txt"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "sbom.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bills(sbom: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two bills, one after the other, of the same lock file."""
    folder = tmp_path_factory.mktemp("sbom")
    python = sbom.install(LOCKED, folder / "environment")
    outputs = [folder / "first.json", folder / "elsewhere" / "second.json"]
    for output in outputs:
        sbom.list_parts(python, output)
    return [output.read_text(encoding="utf-8") for output in outputs]


def test_it_names_every_locked_library_and_nothing_else(bills: list[str]) -> None:
    listed = {(_normalised(part["name"]), part["version"]) for part in json.loads(bills[0])["components"]}
    pins = re.findall(r"^(\S+)==(\S+)", LOCKED.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == {(_normalised(name), version) for name, version in pins}


def test_it_is_about_this_software_and_every_part_has_a_licence(bills: list[str]) -> None:
    bill = json.loads(bills[0])
    subject = bill["metadata"]["component"]
    assert (bill["bomFormat"], subject["name"], subject["type"]) == ("CycloneDX", "cytopenia-cds", "application")
    assert [part["name"] for part in [subject, *bill["components"]] if not part.get("licenses")] == []


def test_it_is_the_same_each_time_and_tells_nothing_of_the_machine(bills: list[str], tmp_path: Path) -> None:
    assert bills[0] == bills[1]
    assert not {"serialNumber", "timestamp"} & {*json.loads(bills[0]), *json.loads(bills[0])["metadata"]}
    assert str(tmp_path.parent) not in bills[0]
    assert "file://" not in bills[0]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
