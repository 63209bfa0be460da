"""The readers of what others send, tried with whatever reaches code not reached yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.effort import EFFORT
from tests.fuzz.reader_checks import CHECKS, FOUND

ROOT = Path(__file__).parents[2]
RUNS = {"json": 10_000, "fhir": 15_000}


@pytest.mark.server
@pytest.mark.parametrize("reader", CHECKS)
def test_nothing_new_breaks_a_reader(reader: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is had for Linux on x86_64 only")
    options = [f"-runs={RUNS[reader] * EFFORT}", *(["-seed=1"] if EFFORT == 1 else [])]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.fuzz_reader", reader, str(tmp_path), *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-5000:]
    assert "DONE   cov: " in ran.stderr


def test_what_broke_a_reader_once_breaks_it_no_more() -> None:
    for path in sorted(FOUND.iterdir()):
        if path.name != "README.md":
            CHECKS[path.name.partition("-")[0]](path.read_bytes())
