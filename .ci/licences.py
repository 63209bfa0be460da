"""Lists the licences of the libraries that the service is delivered with, and refuses those that nobody looked at.

`python .ci/licences.py`. What is installed from the lock files is read by its own metadata. Exit code 1 names each
library whose licence isn't among those below.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "deploy/requirements-service.txt", "deploy/requirements-trend.txt")
ALLOWED = frozenset({
    "MIT", "MIT License", "MIT-0", "MIT OR Apache-2.0",
    "BSD-2-Clause", "BSD-3-Clause", "BSD License", "3-Clause BSD License",
    "Apache-2.0", "Apache Software License", "Apache-2.0 OR BSD-2-Clause", "Apache-2.0 OR BSD-3-Clause",
    "Apache-2.0 AND BSD-2-Clause",
    "PSF-2.0",
})  # fmt: skip
WEAK_COPYLEFT = {
    # Used unchanged, with their sources public.
    "certifi": "Mozilla Public License 2.0 (MPL 2.0)",
    "orjson": "MPL-2.0 AND (Apache-2.0 OR MIT)",
    "pathspec": "Mozilla Public License 2.0 (MPL 2.0)",
    # Imported at run time, and can be replaced by whoever runs the service.
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
}


def locked(root: Path) -> list[str]:
    """The names in the lock files, each once."""
    text = "\n".join((root / lock).read_text(encoding="utf-8") for lock in LOCKS)
    return sorted(set(re.findall(r"^([A-Za-z0-9][\w.-]*)==", text, re.MULTILINE)))


def licence_of(told: Mapping[str, Iterable[str]]) -> str:
    """What the metadata of a library says: the expression, else the classifiers, else the text's first line."""
    expression = next(iter(told.get("License-Expression", ())), "")
    classified = [one.rpartition(" :: ")[2] for one in told.get("Classifier", ()) if one.startswith("License ::")]
    written = next(iter(told.get("License", ())), "").strip().splitlines()
    return expression or "; ".join(classified) or (written[0][:60] if written else "none told")


def judge(licences: Mapping[str, str]) -> tuple[str, list[str]]:
    """The list, a licence a line, and the libraries whose licence nobody allowed."""
    by_licence = defaultdict(list)
    for name, licence in sorted(licences.items()):
        by_licence[licence].append(name)
    lines = [f"{licence}: {', '.join(names)}" for licence, names in sorted(by_licence.items())]
    refused = [f"{name} ({licence})" for name, licence in sorted(licences.items()) if not _is_allowed(name, licence)]
    return "\n".join(lines), refused


def _is_allowed(name: str, licence: str) -> bool:
    return licence in ALLOWED or WEAK_COPYLEFT.get(name) == licence


def main() -> int:
    """Read, print, judge."""
    found = {}
    for name in locked(ROOT):
        try:
            told = metadata(name)
        except PackageNotFoundError:
            print(f"{name} is locked and not installed: install the lock files first.", file=sys.stderr)
            return 1
        found[name] = licence_of(
            {key: told.get_all(key, []) for key in ("License-Expression", "Classifier", "License")}
        )
    listed, refused = judge(found)
    print(listed)
    if refused:
        print(
            f"Licences that nobody has allowed (see the lists in .ci/licences.py): {'; '.join(refused)}",
            file=sys.stderr,
        )
    return int(bool(refused))


if __name__ == "__main__":
    raise SystemExit(main())
