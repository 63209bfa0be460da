"""Nothing committed names a machine, a registry host or a tool of whoever builds the project."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEAKS = re.compile(
    r"(?<![\w/.])/(?:work|root|home)/[a-z]|pypi\.org/simple|files\.pythonhosted|registry\.npmjs|deb\.debian\.org",
    re.IGNORECASE,
)


def test_no_file_names_a_machines_path_or_a_registry_host() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.suffix in {".png", ".svg", ".woff2"}:
            continue
        found = LEAKS.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name} holds {found.group() if found else ''}"
