"""Builds wheel and sdist twice, in two folders at two times, and says whether the bytes are the same.

`python .ci/reproducible.py [FOLDER]`: what was built is put into the folder, by default dist/. The time in the archives
is that of the last commit (SOURCE_DATE_EPOCH).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(folder: Path) -> int:
    """Build, compare, keep."""
    commit = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    epoch = subprocess.run(commit, check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as place:
        first, second = (build(Path(place) / name, epoch) for name in ("one", "another-and-longer"))
        told, alike = compare(sums(first), sums(second))
        print(told)
        folder.mkdir(parents=True, exist_ok=True)
        for path in first.values():
            shutil.copy(path, folder)
        return int(not alike)


def sums(built: Mapping[str, Path]) -> dict[str, str]:
    """The SHA-256 of each file, by its name."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in built.items()}


def compare(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, bool]:
    """A line for each file that either build made, and whether both made a wheel and an sdist, the same ones."""
    names = sorted({*first, *second})
    lines = [
        f"{first.get(name) or second[name]}  {name}{'' if first.get(name) == second.get(name) else '  DIFFERS'}"
        for name in names
    ]
    kinds = {Path(name).suffix for name in names}
    return "\n".join(lines), dict(first) == dict(second) and kinds == {".whl", ".gz"}


def build(place: Path, epoch: str) -> dict[str, Path]:
    """Wheel and sdist of the last commit, built in a folder of its own, by name."""
    place.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "--extract", "--touch", "--directory", str(place)], input=archive, check=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place / "dist"), str(place)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return {path.name: path for path in (place / "dist").iterdir()}


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
