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
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(folder: Path) -> int:
    """Build, compare, keep."""
    commit = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    epoch = subprocess.run(commit, check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as place:
        first, second = (build(Path(place) / name, epoch) for name in ("one", "another-and-longer"))
        for name, path in sorted(first.items()):
            alike = path.read_bytes() == second[name].read_bytes()
            print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}{'' if alike else '  DIFFERS'}")
        folder.mkdir(parents=True, exist_ok=True)
        for path in first.values():
            shutil.copy(path, folder)
        return int(any(path.read_bytes() != second[name].read_bytes() for name, path in first.items()))


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
