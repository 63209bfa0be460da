"""Ready CDS Hooks requests: a patient's Bundle sorted into the service's prefetch keys. Judges nothing."""

from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import yaml
from pydantic import BaseModel, ConfigDict

from fhir_fixtures.lexicon import codes_asked_for

_FILE = Path(__file__).parent / "vocabulary" / "requests.yaml"

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
    patient = next(one["resource"] for one in _of_type(entries, "Patient") if one["resource"]["id"] == story.patient)
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid5(NAMESPACE_URL, f"https://fhir.example.org/r4/requests/{story.name}")),
        "context": {"userId": story.user, "patientId": story.patient},
        "prefetch": {
            "patient": patient,
            "counts": _searchset(_asked_for(entries, "counts")),
            "companions": _searchset(_asked_for(entries, "companions")),
            "conditions": _searchset(_of_type(entries, "Condition")),
            "medications": _searchset(_of_type(entries, "MedicationRequest")),
        },
    }


def _of_type(entries: list[Json], kind: str) -> list[Json]:
    return [one for one in entries if one["resource"]["resourceType"] == kind]


def _asked_for(entries: list[Json], prefetch: str) -> list[Json]:
    """The Observations that the service's query behind this prefetch key would find."""
    codes = codes_asked_for(prefetch)
    observations = _of_type(entries, "Observation")
    return [one for one in observations if any(c["code"] in codes for c in one["resource"]["code"]["coding"])]


def _searchset(entries: list[Json]) -> Json:
    """A searchset; one without matches has no `entry`, as FHIR forbids an empty one."""
    found = [{**entry, "search": {"mode": "match"}} for entry in entries]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), **({"entry": found} if found else {})}
