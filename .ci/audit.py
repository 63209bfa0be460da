"""Asks an advisory service for known vulnerabilities of what is installed, and says plainly when nobody answered.

`python .ci/audit.py [pip-audit options, such as --osv-url https://osv.example.org/v1/query]`. Exit code: 1 for a known
vulnerability; 0 otherwise, also when nothing could be found out, unless AUDIT=required.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKED = Path(__file__).parents[1] / "requirements.txt"
COMMAND = [
    "pip_audit", "--requirement", str(LOCKED), "--disable-pip", "--require-hashes", "--vulnerability-service", "osv",
    "--format", "json", "--progress-spinner", "off", "--timeout", "10",
]  # fmt: skip


def audit(options: list[str], required: bool) -> tuple[str, int]:
    """What to say, and the exit code."""
    command = [sys.executable, "-m", *COMMAND, *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except ValueError:
        reason = (ran.stderr.strip().splitlines() or ["no reason given"])[-1].partition(":")[0]
        return f"audit: NOT DONE, no advisory service could be asked ({reason}). Nothing is known.", int(required)
    found = [(one, flaw) for one in packages for flaw in one.get("vulns", ())]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if found:
        flaws = "; ".join(f"{one['name']} {one['version']}: {flaw['id']}" for one, flaw in found)
        return f"audit: known vulnerabilities: {flaws}", 1
    if skipped:
        told = f"audit: NOT DONE for {len(skipped)} of {len(packages)} packages: {', '.join(skipped)}"
        return told, int(required)
    return f"audit: no known vulnerability in {len(packages)} packages", 0


def main() -> int:
    """Say it."""
    told, code = audit(sys.argv[1:], os.environ.get("AUDIT") == "required")
    sys.stdout.write(told + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
