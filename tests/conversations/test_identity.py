"""Whose chart it is: another patient's record refuses the call, and says what to send; nothing of it is repeated."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import chart
from tests.builders.conversation import LOW_COUNTS, post

FOREIGN = "somebody-else"


@pytest.mark.parametrize(
    "sent",
    [
        {"patient": chart.patient(id=FOREIGN)},
        {"patient": chart.searchset([chart.patient(id=FOREIGN)])},
        {"patient": chart.patient(id=chart.PATIENT.upper())},
        {
            "patient": None,
            "counts": chart.searchset([*chart.resources(LOW_COUNTS), chart.patient(id=FOREIGN)]),
        },
    ],
    ids=["another id", "another id in a Bundle", "another letter case", "only another one among the counts"],
)
def test_another_patients_record_is_refused_with_what_to_send(client: FlaskClient, sent: dict[str, Any]) -> None:
    answer = post(client, chart.call(chart.prefetch(LOW_COUNTS) | sent))
    assert answer.status_code == 412
    outcome = answer.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert issue["severity"] == "error"
    assert "context.patientId" in issue["diagnostics"]
    assert FOREIGN not in answer.get_data(as_text=True)
    assert "cards" not in outcome


def test_a_second_patient_beside_the_right_one_refuses_nothing(client: FlaskClient) -> None:
    counts = chart.searchset([*chart.resources(LOW_COUNTS), chart.patient(id=FOREIGN)])
    answer = post(client, chart.call(chart.prefetch([]) | {"counts": counts}))
    assert [card["indicator"] for card in answer.get_json()["cards"]] == ["warning"]


@pytest.mark.parametrize(
    ("reference", "server", "verdict"),
    [
        ("Patient/synthetic-1", None, "present"),
        ("Patient/synthetic-1/_history/2", None, "present"),
        ("https://ehr.example.org/fhir/Patient/synthetic-1", None, "present"),
        ("https://ehr.example.org/fhir/Patient/synthetic-1/_history/2", "https://ehr.example.org/fhir/", "present"),
        ("HTTPS://EHR.example.org/fhir/Patient/synthetic-1", "https://ehr.example.org/fhir", "no-recent-result"),
        ("https://ehr.example.org/fhir/Patient/synthetic-1", "https://other.example.org/fhir", "no-recent-result"),
        ("https://ehr.example.org/fhir2/Patient/synthetic-1", "https://ehr.example.org/fhir", "no-recent-result"),
        ("Patient/synthetic-10", None, "no-recent-result"),
        ("Group/synthetic-1", None, "no-recent-result"),
        ("#synthetic-1", None, "no-recent-result"),
        ("urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", None, "no-recent-result"),
        ("Patient?identifier=1", None, "no-recent-result"),
    ],
)
def test_a_result_counts_only_when_it_is_provably_the_patients(
    client: FlaskClient, reference: str, server: str | None, verdict: str
) -> None:
    notes = [note | {"with": {"subject": {"reference": reference}}} for note in LOW_COUNTS]
    members = {"fhirServer": server} if server else {}
    answer = post(client, chart.call(chart.prefetch(notes), **members))
    findings = answer.get_json()["extension"]["org.cytopenia-cds.assessment"]["findings"]
    assert {finding["verdict"] for finding in findings} == {verdict}
