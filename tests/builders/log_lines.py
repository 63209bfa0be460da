"""Log lines as a test reads them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def without_durations(lines: Iterable[Mapping[str, Any]]) -> str:
    """The lines as one text, less how long things took: milliseconds may look like a value of the chart."""
    return json.dumps(
        [{name: said for name, said in line.items() if name not in {"ms", "fetchedMs"}} for line in lines]
    )
