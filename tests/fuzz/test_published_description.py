"""Schemathesis holds the running service, with its door closed, to the description it publishes."""

import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.client_authentication.signing import make_key, private_jwk, public_key_set
from tests.builders.client_tokens import trusting
from tests.builders.serving import clean_environment, serving
from tests.fuzz.effort import EFFORT

ROOT = Path(__file__).parents[2]
EXAMPLES = 40


@pytest.mark.server
def test_the_service_does_what_its_description_says(tmp_path: Path) -> None:
    key = make_key("ES256")
    (tmp_path / "key.json").write_text(private_jwk(key), encoding="utf-8")
    with serving(tmp_path, **trusting(tmp_path, keys=public_key_set(key).encode())) as service:
        config = str(ROOT / "tests" / "fuzz" / "schemathesis.toml")
        command = ["--config-file", config, "run", f"{service.url}/openapi.json", "-n", str(EXAMPLES * EFFORT)]
        ran = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *command, "--report", "junit", "--report-dir", str(tmp_path)],
            cwd=ROOT, env=_with_hooks(tmp_path), capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = service.lines
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not [line for line in lines if line.get("level") == "error"]
    assert {200, 400, 401, 404, 405, 412, 415} <= {line.get("status") for line in lines}


def _with_hooks(folder: Path) -> dict[str, str]:
    key = str(folder / "key.json")
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.schemathesis_hooks", "FUZZ_CLIENT_KEY": key, "PYTHONPATH": str(ROOT)}
    return clean_environment(folder) | hooks
