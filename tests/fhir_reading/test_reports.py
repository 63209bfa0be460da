"""Criteria 1: contained results count only where a DiagnosticReport of this patient names them."""

from typing import Any

import pytest

from cds_service.hematology.lab_results import Analyte
from tests.builders.fhir import (
    CBC_PANEL,
    CLUMPS,
    HEMOGLOBIN,
    PLT,
    concept,
    observation,
    outcome,
    quantity,
    read,
    resource,
)

NAMED = [{"reference": "#o1"}]
OTHER = {"reference": "Patient/other"}


def report(*contained: dict[str, Any], **elements: Any) -> dict[str, Any]:
    built: dict[str, Any] = {"status": "final", "result": NAMED, "contained": list(contained)}
    return resource("DiagnosticReport", **(built | elements))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (report(observation(subject=None)), "2.9"),
        (report(observation()), "2.9"),
        (report(observation(subject=None), status="preliminary"), "2.9"),
        (report(observation(subject=None), result=[]), "contained-unreferenced"),
        (report(observation(subject=None), result=[{"reference": "Observation/o1"}]), "contained-unreferenced"),
        (report(observation(subject=None, id=None)), "contained-unreferenced"),
        (report(observation(subject=OTHER)), "other-patient"),
        (report(observation(subject={"reference": "#p"})), "subject-not-resolvable"),
        (report(observation(subject=None), subject=OTHER), "other-patient"),
        (report(observation(subject=None), subject=None), "subject-missing"),
        (report(observation(subject=None), status="entered-in-error"), "entered-in-error"),
        (report(observation(subject=None), status="cancelled"), "status-not-final"),
        (report(observation(subject=None, status="entered-in-error")), "entered-in-error"),
        (report(observation(subject=None, effectiveDateTime=None), effectiveDateTime="2026-06-01"), "date-missing"),
        (report(observation(), specimen=[{"display": "Bone marrow"}]), "not-blood"),
        (report(observation(specimen={"display": "Blood"}), specimen=[{"display": "Bone marrow"}]), "2.9"),
        (report(observation(), code={"text": "Comprehensive bone marrow report"}), "2.9"),
        (report(observation(id="o2")), "contained-unreferenced"),
        (report("nonsense", None, observation()), "2.9"),  # type: ignore[arg-type]
        (report(resource("Specimen")), "nothing"),
        (observation("local", contained=[observation()]), "contained-unreferenced"),
        (resource("Encounter", contained=[observation()]), "contained-unreferenced"),
    ],
)
def test_contained_results(sent: dict[str, Any], expected: str) -> None:
    assert outcome(read(sent)) == expected


def test_a_contained_result_goes_by_its_reports_reference_and_specimen() -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Blood"}}
    (result,) = read(report(observation(PLT, specimen={"reference": "#s"}), specimen)).counts
    assert (result.reference, result.analyte) == ("DiagnosticReport/r1#o1", Analyte.PLATELETS)
    assert result.specimen == "DiagnosticReport/r1#o1#s"


def test_contained_panels_companions_and_clump_tests_are_read_too() -> None:
    parts = [{"code": concept(PLT), "valueQuantity": quantity(88)}]
    picture = read(
        report(
            observation(CBC_PANEL, None, component=parts),
            observation(HEMOGLOBIN, quantity(9, "g/dL"), id="o2"),
            observation(CLUMPS, None, id="o3", valueString="few"),
            result=[{"reference": f"#o{number}"} for number in (1, 2, 3)],
        )
    )
    assert outcome(picture) == "88"
    assert [one.reference for one in picture.companions] == ["DiagnosticReport/r1#o2"]
    assert [one.reference for one in picture.clumping] == ["DiagnosticReport/r1#o3"]
