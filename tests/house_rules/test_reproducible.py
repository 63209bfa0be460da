"""Two builds are alike when both made the same files with the same bytes; `make dist` says so, and CI runs it."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "reproducible.py"
BUILT = {"cds-1.whl": "a1", "cds-1.tar.gz": "b2"}


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (BUILT, "b2  cds-1.tar.gz\na1  cds-1.whl"),
        (BUILT | {"cds-1.whl": "c3"}, "b2  cds-1.tar.gz\na1  cds-1.whl  DIFFERS"),
        ({"cds-1.tar.gz": "b2"}, "b2  cds-1.tar.gz\na1  cds-1.whl  DIFFERS"),
        (BUILT | {"cds-2.whl": "c3"}, "b2  cds-1.tar.gz\na1  cds-1.whl\nc3  cds-2.whl  DIFFERS"),
    ],
)
def test_a_file_of_either_build_that_the_other_has_not_is_named(second: dict[str, str], told: str) -> None:
    assert _compare(BUILT, second) == (told, second == BUILT)


@pytest.mark.parametrize("missing", BUILT)
def test_builds_without_a_wheel_or_an_sdist_are_not_alike(missing: str) -> None:
    built = {name: digest for name, digest in BUILT.items() if name != missing}
    assert not _compare(built, built)[1]


def _compare(first: dict[str, str], second: dict[str, str]) -> tuple[str, bool]:
    spec = importlib.util.spec_from_file_location("reproducible", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    compared: tuple[str, bool] = module.compare(first, second)
    return compared
