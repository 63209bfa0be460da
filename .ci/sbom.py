"""Writes the CycloneDX bill of materials of what the image runs: `python .ci/sbom.py OUTPUT [LOCK_FILE]`.

The locked libraries are installed, by hash, into an environment of their own, and what lies there is listed with its
licence. The same lock file gives the same bytes: no time, no serial number, no path. The file is checked against
CycloneDX's schema before it is written. It tells nothing of the base image: its publisher does.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED = ROOT / "deploy" / "requirements-service.txt"


def install(locked: Path, environment: Path) -> Path:
    """Put the locked libraries into a new environment without pip, and return its Python."""
    python = environment / "bin" / "python"
    _run("venv", "--without-pip", str(environment))
    pip = ["pip", "--python", str(python), "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    _run(*pip, "--require-hashes", "--requirement", str(locked))
    return python


def list_parts(python: Path, output: Path) -> None:
    """Write down what an environment holds."""
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application", "--spec-version", "1.6"]
    options += ["--gather-license-texts"]  # else a licence told in words that aren't SPDX's is left out
    output.parent.mkdir(parents=True, exist_ok=True)
    _run("cyclonedx_py", "environment", *options, "--output-reproducible", "--validate", "-o", str(output), str(python))


def _run(module: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", module, *words], check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        lock_file = Path(sys.argv[2]) if len(sys.argv) > 2 else LOCKED
        list_parts(install(lock_file, Path(folder) / "environment"), Path(sys.argv[1]))
