"""Ready CDS Hooks requests: a patient's Bundle sorted into the service's prefetch keys. Judges nothing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).parent / "vocabulary" / "requests.yaml"
_COUNT_CODES = {"6690-2", "26464-8", "777-3", "58410-2", "1022541000000102", "1022651000000100"}

Json = dict[str, Any]


class RequestStory(BaseModel):
    """One request: whose chart is opened, by whom, and the indicator of the card it must lead to (None: no card)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    patient: str
    user: str = "Practitioner/example-clinician"
    story: str
    indicator: Literal["info", "warning", "critical"] | None
    shows: tuple[str, ...] = ()


def load_request_stories() -> tuple[RequestStory, ...]:
    """The requests of vocabulary/requests.yaml, in its order."""
    told = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(RequestStory(name=name, **story) for name, story in told.items())


def request_for(story: RequestStory, bundle: Json) -> Json:
    """The patient-view request an EHR would send on opening the chart, every prefetch key filled from `bundle`."""
    entries = [{"fullUrl": one["fullUrl"], "resource": one["resource"]} for one in bundle["entry"]]
    of_type = {kind: [one for one in entries if one["resource"]["resourceType"] == kind] for kind in _TYPES}
    counts = [one for one in of_type["Observation"] if _codes(one) & _COUNT_CODES]
    companions = [one for one in of_type["Observation"] if one not in counts]
    patient = next(one["resource"] for one in of_type["Patient"] if one["resource"]["id"] == story.patient)
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid5(NAMESPACE_URL, f"https://fhir.example.org/r4/requests/{story.name}")),
        "context": {"userId": story.user, "patientId": story.patient},
        "prefetch": {
            "patient": patient,
            "counts": _searchset(counts),
            "companions": _searchset(companions),
            "conditions": _searchset(of_type["Condition"]),
            "medications": _searchset(of_type["MedicationRequest"]),
        },
    }


_TYPES = ("Patient", "Observation", "Condition", "MedicationRequest")


def _codes(entry: Json) -> set[str]:
    return {coding["code"] for coding in entry["resource"]["code"]["coding"]}


def _searchset(entries: Iterable[Json]) -> Json:
    """A searchset; one without matches has no `entry`, as FHIR forbids an empty one."""
    found = [{**entry, "search": {"mode": "match"}} for entry in entries]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), **({"entry": found} if found else {})}
