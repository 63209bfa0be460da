"""Criteria 1: contained results count only where a DiagnosticReport of this patient names them."""

from typing import Any

import pytest

from cds_service.fhir_reading.releases import Release
from cds_service.hematology.lab_results import Analyte
from tests.builders.fhir import (
    CBC_PANEL,
    CLUMPS,
    HEMOGLOBIN,
    OWN,
    PLT,
    concept,
    observation,
    outcome,
    quantity,
    read,
    resource,
)
from tests.builders.releases import as_release

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


def panel(*leads_to: str, **elements: Any) -> dict[str, Any]:
    """A contained panel without value, as the reports' only result."""
    found = [{"reference": reference} for reference in leads_to]
    built = observation(CBC_PANEL, None, id="p", hasMember=found) | {"subject": None} | elements
    return {name: part for name, part in built.items() if part is not None}


OF_THE_PANEL = [{"reference": "#p"}]
URINE = {"resourceType": "Specimen", "id": "u", "type": {"text": "Urine"}}


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize(
    ("contained", "expected"),
    [
        ([panel("#o1"), observation(subject=None)], "2.9"),
        ([panel("#o2", "#o1"), observation()], "2.9"),
        ([panel("#q"), panel("#o1", id="q"), observation()], "2.9"),
        ([panel("#o1", "#p"), observation()], "2.9"),
        ([panel("#o1", status="preliminary"), observation()], "2.9"),
        ([panel("#o1", status="entered-in-error"), observation()], "entered-in-error"),
        ([panel("#o1", status="cancelled"), observation()], "status-not-final"),
        ([panel("#o1", subject=OTHER), observation()], "other-patient"),
        ([panel("#o1"), observation(subject=OTHER)], "other-patient"),
        ([panel("#o1"), observation(effectiveDateTime=None)], "date-missing"),
        ([panel("#o1", specimen={"display": "Urine"}), observation()], "not-blood"),
        ([panel("#o1", specimen={"reference": "#u"}), observation(), URINE], "not-blood"),
        ([panel("#o1", specimen={"reference": "#u"}), observation(specimen={"display": "Blood"}), URINE], "2.9"),
        ([panel("#o1", code={"text": "Cell counts, CSF"}), observation()], "not-blood"),
        ([panel(), observation()], "contained-unreferenced"),
        ([panel("Observation/o1"), observation()], "contained-unreferenced"),
        ([panel("#o1", id="q"), observation()], "contained-unreferenced"),
    ],
)
def test_a_contained_panel_leads_to_the_results_contained_beside_it(
    contained: list[dict[str, Any]], expected: str, release: Release
) -> None:
    sent = report(*contained, result=OF_THE_PANEL)
    assert outcome(read(as_release(sent, release))) == expected


def test_a_result_that_the_report_names_itself_owes_nothing_to_a_panel() -> None:
    withdrawn = panel("#o1", status="entered-in-error")
    assert outcome(read(report(withdrawn, observation(), result=[*OF_THE_PANEL, *NAMED]))) == "2.9"


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("status", ["final", "entered-in-error"])
def test_the_members_of_a_panel_that_is_a_resource_of_its_own_inherit_nothing(release: Release, status: str) -> None:
    whole = panel("Observation/o1", subject=OWN, status=status, specimen={"display": "Urine"})
    sent = [as_release(one, release) for one in (whole, observation())]
    assert outcome(read(*sent)) == "2.9"
    alone = panel("#o1", subject=OWN, contained=[observation()])
    assert outcome(read(as_release(alone, release))) == "contained-unreferenced"
