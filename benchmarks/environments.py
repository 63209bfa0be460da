"""The environments of the yardsticks: made on first use under `build/`, from pinned versions with their hashes."""

import hashlib
import subprocess
import venv
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parent.parent
_PINNED = Path(__file__).parent / "yardsticks"
_PLACE = ROOT / "build" / "yardsticks"


def python_with(name: str, console: Console) -> Path:
    """The Python of an environment that holds what `yardsticks/<name>.txt` pins; made if it isn't there yet.

    Raises:
        SystemExit: pip could not install it.
    """
    pinned = _PINNED / f"{name}.txt"
    folder = _PLACE / f"{name}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "installed"
    if done.exists():
        return python
    with console.status(f"First time: installing the yardstick '{name}' into {folder.relative_to(ROOT)} ..."):
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        installed = subprocess.run([*command, "-r", str(pinned)], capture_output=True, text=True, check=False)
    if installed.returncode:
        raise SystemExit(f"pip could not install the yardstick '{name}': {installed.stderr.strip()[-500:]}")
    done.touch()
    console.print(f"Installed the yardstick '{name}' into {folder.relative_to(ROOT)}.")
    return python
