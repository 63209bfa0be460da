"""Synthetic FHIR R4 resources for the reader's tests, and one call that reads them.

Everything is said relative to `AS_OF`; an element set to None is left out.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import Analyte
from tests.builders.knowledge import shipped_knowledge

AS_OF = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
PATIENT = "synthetic-1"
OWN = {"reference": f"Patient/{PATIENT}"}
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
WBC, PLT, ANC = "6690-2", "777-3", "751-8"
WBC_ESTIMATE, WBC_NRBC_CORRECTED, WBC_IN_URINE = "49498-9", "33256-9", "30405-5"
CLUMPS, BLASTS, HEMOGLOBIN, EDTA_CHECK, ADEQUACY, CBC_PANEL = (
    "7796-6",
    "26446-5",
    "718-7",
    "107193-5",
    "9317-9",
    "58410-2",
)
ANALYTES = {"leukocytes": Analyte.LEUKOCYTES, "platelets": Analyte.PLATELETS, "neutrophils": Analyte.NEUTROPHILS}

Resource = dict[str, Any]


def concept(*codes: str, system: str = LOINC, text: str | None = None) -> Resource:
    """A CodeableConcept with codings of one system."""
    built: Resource = {"coding": [{"system": system, "code": code} for code in codes]}
    return built | ({"text": text} if text is not None else {})


def quantity(
    value: Any, unit: str | None = "10*3/uL", code: str | None = None, comparator: str | None = None
) -> Resource:
    """A Quantity; with a code, its system is UCUM."""
    coded = {"system": UCUM, "code": code} if code is not None else {}
    parts = {"value": value, "unit": unit, "comparator": comparator, **coded}
    return {name: part for name, part in parts.items() if part is not None}


def observation(code: str = WBC, value: Any = "2.9", **elements: Any) -> Resource:
    """A final count of this patient, two weeks old, in 10*3/uL. `value` is decimal text or a whole Quantity."""
    built: Resource = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept(code),
        "subject": OWN,
        "effectiveDateTime": "2026-06-01T08:30:00+02:00",
        "valueQuantity": quantity(Decimal(value)) if isinstance(value, str) else value,
        **elements,
    }
    return {name: part for name, part in built.items() if part is not None}


def resource(resource_type: str, **elements: Any) -> Resource:
    """Any resource of this patient."""
    built = {"resourceType": resource_type, "id": "r1", "subject": OWN, **elements}
    return {name: part for name, part in built.items() if part is not None}


def patient(**elements: Any) -> Resource:
    """The patient."""
    return {"resourceType": "Patient", "id": PATIENT, **elements}


def read(*resources: Resource | Entry, accepted: frozenset[str] | None = None, **options: Any) -> ClinicalPicture:
    """Read resources (or entries) as one call would; `accepted` are the statuses of a site that has its own."""
    entries = [sent if isinstance(sent, Entry) else Entry(sent) for sent in resources]
    knowledge = shipped_knowledge()
    knowledge = knowledge if accepted is None else replace(knowledge, accepted_statuses=accepted)
    settings: dict[str, Any] = {"fhir_server": None, "as_of": AS_OF, "knowledge": knowledge}
    return read_clinical_picture(entries, PATIENT, **(settings | options))


def outcome(picture: ClinicalPicture) -> str:
    """What became of the counts, in a line: `2.9` used, `unit-missing` set aside, with `unreadable` where it is."""
    used = [f"{result.value:f}" for result in picture.counts]
    aside = [f"{one.reason}{' unreadable' if one.unreadable else ''}" for one in picture.set_aside]
    return ", ".join([*used, *aside]) or "nothing"


def real_data() -> Path:
    """Where public FHIR data lie beside the project, where they do."""
    return Path(__file__).parents[3] / "shared" / "data"


def entries_of_file(path: Path) -> list[Entry]:
    """The entries of a Bundle file, or its one resource; numbers keep their digits."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    if document["resourceType"] != "Bundle":
        return [Entry(document)]
    return [Entry(entry["resource"], entry.get("fullUrl")) for entry in document["entry"]]


def paths_in(element: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a JSON value."""
    yield path
    parts = element.items() if isinstance(element, dict) else enumerate(element) if isinstance(element, list) else ()
    for name, part in parts:
        yield from paths_in(part, (*path, name))


def replaced(element: Resource, path: tuple[Any, ...], part: Any) -> Any:
    """A copy with another part at a path."""
    if not path:
        return part
    built = copy.deepcopy(element)
    holder: Any = built
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = part
    return built
