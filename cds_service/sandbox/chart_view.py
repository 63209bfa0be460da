"""What the chart page shows of a visit, as frozen values for the templates. Knows no Flask and judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fixtures import FixtureIndex
from cds_service.sandbox.visits import Visit

EXTENSION = "org.cytopenia-cds.assessment"
GROUPS = (
    ("critical", "Critical"),
    ("warning", "Warning"),
    ("info", "Info"),
    ("none", "No card"),
    ("", "Also on the FHIR server"),
)


@dataclass(frozen=True)
class ListedPatient:
    """One line of the patient list; `indicator` of the card expected, "" for a patient without a story."""

    id: str
    name: str
    title: str = ""
    story: str = ""
    indicator: str = ""


@dataclass(frozen=True)
class ChartView:
    """One opened chart; `banner` is the person in a line."""

    patient: ListedPatient
    banner: str
    visit: Visit
    findings: tuple[Mapping[str, Any], ...]
    withheld: str
    quieted: Mapping[str, Any]
    not_used: tuple[Mapping[str, Any], ...]


def listed_patients(index: FixtureIndex, store: FhirStore) -> dict[str, ListedPatient]:
    """By id: those with a story, in the index's order, then any other patient on the FHIR server."""
    told = {p.id: ListedPatient(p.id, p.name, p.title, p.story, p.indicator) for p in index.patients}
    others = sorted((resource for resource in store.all("Patient") if resource["id"] not in told), key=_name)
    return told | {str(resource["id"]): ListedPatient(str(resource["id"]), _name(resource)) for resource in others}


def chart_view(listed: ListedPatient, visit: Visit, patient: Mapping[str, Any], today: date) -> ChartView:
    """Everything one chart page says of a Patient resource and a visit, as of a day."""
    assessment = (visit.exchange.response.get("extension") or {}).get(EXTENSION) or {}
    not_used = tuple(assessment.get("notUsed", ()))
    return ChartView(
        patient=listed,
        banner=_banner(patient, today),
        visit=visit,
        findings=tuple(assessment.get("findings", ())),
        withheld=str(assessment.get("withheld", "")),
        quieted=assessment.get("quieted") or {},
        not_used=not_used,
    )


def _name(patient: Mapping[str, Any]) -> str:
    name: Mapping[str, Any] = next(iter(patient.get("name", ())), {})
    return str(name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip() or patient["id"])


def _banner(patient: Mapping[str, Any], today: date) -> str:
    born = str(patient.get("birthDate", ""))
    parts = [
        str(patient.get("gender", "")),
        _age(born, today),
        f"born {born}" if born else "",
        f"Patient/{patient.get('id')}",
    ]
    return " · ".join(part for part in parts if part)


def _age(born: str, today: date) -> str:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return ""
    return f"{today.year - day.year - ((today.month, today.day) < (day.month, day.day))} years"
