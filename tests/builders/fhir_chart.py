"""A FHIR server's answers for one synthetic chart, ready for `fhir_stub`, to be varied answer by answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.builders import chart

_PATIENT = f"patient={chart.PATIENT}"
METADATA, PATIENT = "metadata", f"Patient/{chart.PATIENT}"
COUNTS = f"Observation?{_PATIENT}&code=http://loinc.org|58410-2"
COMPANIONS = f"Observation?{_PATIENT}&code=http://loinc.org|26446-5"
COMPONENTS = f"Observation?{_PATIENT}&component-code="
LABORATORY = f"Observation?{_PATIENT}&category=laboratory"
CONDITIONS, MEDICATIONS = f"Condition?{_PATIENT}", f"MedicationRequest?{_PATIENT}"


def capability_statement(version: str = "4.0.1", **offered: Iterable[str]) -> dict[str, Any]:
    """What a server says of itself; by default, that it offers all that the service asks for."""
    types = {
        "Patient": (),
        "Observation": ("patient", "code", "component-code", "combo-code"),
        "Condition": ("patient",),
        "MedicationRequest": ("patient",),
        **offered,
    }
    resources = [{"type": name, "searchParam": [{"name": one} for one in found]} for name, found in types.items()]
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "software": {"name": "Example FHIR server"},
        "rest": [{"mode": "server", "resource": resources}],
    }


def served_chart(notes: Iterable[Mapping[str, Any]], *others: chart.Resource) -> dict[str, object]:
    """The answers for a chart of these notes; `others` are laboratory results found by no code of ours."""
    filled = chart.prefetch(notes)
    counts = [entry["resource"] for entry in filled["counts"].get("entry", [])]
    return {
        METADATA: capability_statement(),
        PATIENT: filled["patient"],
        COUNTS: filled["counts"],
        COMPANIONS: filled["companions"],
        COMPONENTS: chart.searchset([]),
        LABORATORY: chart.searchset([*counts, *others]),
        CONDITIONS: filled["conditions"],
        MEDICATIONS: filled["medications"],
    }
