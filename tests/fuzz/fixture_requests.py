"""Every call that the fixtures describe: ready requests, traps, and the prefetch of each synthetic patient."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from fhir_fixtures.hook_requests import RequestStory, request_for
from fhir_fixtures.traps import PATIENT, load_traps
from tests.builders import chart

FIXTURES = Path(__file__).parents[2] / "fhir_fixtures"


@cache
def fixture_requests() -> dict[str, dict[str, Any]]:
    """The calls by name; not to be changed."""
    ready = {f"request {path.stem}": _load(path) for path in sorted((FIXTURES / "requests").glob("*.json"))}
    return ready | _traps() | _patients()


def _traps() -> dict[str, dict[str, Any]]:
    context = {"userId": "Practitioner/example-clinician", "patientId": PATIENT}
    return {
        f"trap {name}": chart.call(_load(FIXTURES / "traps" / f"{name}.json"), context=context) for name in load_traps()
    }


def _patients() -> dict[str, dict[str, Any]]:
    listed = _load(FIXTURES / "index.json")["patients"]
    stories = [RequestStory(name=one["id"], patient=one["id"], story=one["story"], indicator=None) for one in listed]
    return {
        f"patient {one['id']}": request_for(story, _load(FIXTURES / one["file"]))
        for one, story in zip(listed, stories, strict=True)
    }


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
