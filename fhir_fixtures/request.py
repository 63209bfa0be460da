"""Prints a ready CDS Hooks request, its dates moved to today: `python -m fhir_fixtures.request bicytopenia`."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from cds_service.sandbox.date_shift import shift_dates
from fhir_fixtures.dates import REFERENCE_DAY

FOLDER = Path(__file__).parent / "requests"


def request_on(name: str, day: date) -> dict[str, object]:
    """The request called `name` with every date moved so that `day` is the reference day."""
    request = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return shift_dates(request, (day - REFERENCE_DAY).days)


def main(arguments: list[str]) -> int:
    """Print the request named by the one argument; 2 and the list of names when there is no such request."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"Say which request: python -m fhir_fixtures.request NAME, one of {', '.join(names)}.\n")
        return 2
    request = request_on(arguments[0], datetime.now(UTC).date())
    sys.stdout.write(json.dumps(request, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
