"""What the service is delivered with is under licences that somebody has looked at."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("licences", ROOT / ".ci" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LICENCES = _load()


@pytest.mark.parametrize(
    ("told", "licence"),
    [
        ({"License-Expression": ["MIT"], "Classifier": ["License :: OSI Approved :: BSD License"]}, "MIT"),
        ({"Classifier": ["Topic :: X", "License :: OSI Approved :: BSD License"]}, "BSD License"),
        ({"License": ["Apache License\nVersion 2.0"]}, "Apache License"),
        ({}, "none told"),
    ],
)
def test_a_licence_is_what_the_library_says(told: dict[str, list[str]], licence: str) -> None:
    assert LICENCES.licence_of(told) == licence


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "LGPL-3.0-only", "none told", "MIT; GPL-2.0-only"])
def test_a_licence_that_nobody_allowed_is_refused_with_its_library(licence: str) -> None:
    _, refused = LICENCES.judge({"good": "MIT", "other": licence})
    assert refused == [f"other ({licence})"]


def test_all_that_is_locked_is_allowed() -> None:
    assert LICENCES.main() == 0
    assert "sqlalchemy" in LICENCES.locked(ROOT)
