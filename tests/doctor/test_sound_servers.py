"""Servers that answer: what the doctor tells of their data, and how it ends."""

import json
from typing import Any

import pytest

from cds_service.doctor.listening import Exchange
from cds_service.doctor.searches_step import Search, searches_step
from cds_service.doctor.server_step import server_step
from cds_service.doctor.steps import Outcome
from cds_service.fhir_reading.releases import Release
from cds_service.outbound.client import Answer
from cds_service.services.gathering import Gathered
from tests.builders import chart
from tests.builders.conversation import LOW_COUNTS
from tests.builders.fhir_chart import (
    CONDITIONS,
    COUNTS,
    LABORATORY,
    MEDICATIONS,
    METADATA,
    capability_statement,
    served_chart,
)
from tests.builders.fhir_stub import Reply, fhir_stub, outcome
from tests.doctor.conftest import Doctor

LOCAL = {"coding": [{"system": "urn:oid:1.2.3.4.5", "code": "LEUK"}], "text": "Leukozyten"}
OF_THE_HOUSE = chart.observation({"wbc": 2.2, "id": "local", "with": {"code": LOCAL}}, 1)
FURLONGS = [*LOW_COUNTS, {"wbc": 2.2, "days": 2, "unit": "furlong/uL", "code": None}]

SEEN: list[tuple[str, dict[str, object], int, list[str]]] = [
    (
        "all is well",
        served_chart(LOW_COUNTS),
        0,
        [
            "✓ The server",
            "FHIR 4.0.1; Example FHIR server",
            "counts (Observation): 3 found in",
            "Counts read: 2 of leukocytes, 1 of platelets.",
            "3 laboratory results were looked at; none has a code that isn't known.",
            "warning: ",
            "leukopenia: present; thrombocytopenia: present; bicytopenia: present.",
            "Everything that the service needs from this server works.",
        ],
    ),
    (
        "normal counts lead to no card",
        served_chart([{"wbc": 6.1, "days": 1}, {"plt": 240, "days": 1}]),
        0,
        ["No card: there is nothing to say. leukopenia: absent; thrombocytopenia: absent; bicytopenia: absent."],
    ),
    (
        "a unit that nobody knows",
        served_chart(FURLONGS),
        1,
        ["Set aside: 1 as unit-not-understood.", "Units not read: furlong/uL (1).", "→ Have the laboratory send UCUM"],
    ),
    (
        "a result entered in error needs nothing",
        served_chart([*LOW_COUNTS, {"wbc": 1.2, "days": 2, "status": "entered-in-error"}]),
        0,
        ["· The results", "Set aside: 1 as entered-in-error."],
    ),
    (
        "counts under the house's own code",
        served_chart([], OF_THE_HOUSE, OF_THE_HOUSE),
        1,
        [
            "Counts read: none.",
            "2 of the codes of 2 laboratory results mean nothing to us: urn:oid:1.2.3.4.5|LEUK (2).",
            "map it: docs/how-to/map-local-codes.md",
            "No card, as no count was read.",
        ],
    ),
    (
        "a patient without any result",
        served_chart([]),
        1,
        ["counts (Observation): 0 found in", "Choose a patient with recent blood counts"],
    ),
    (
        "conditions in a system of the house",
        served_chart([*LOW_COUNTS, {"condition": "local X1"}]),
        0,
        ["Conditions and medications coded in systems not understood: urn:oid:1.2.3.4.5 (1)."],
    ),
    (
        "no search by component",
        served_chart(LOW_COUNTS) | {METADATA: capability_statement(Observation=("patient", "code"))},
        0,
        ["doesn't offer: Observation?component-code, Observation?combo-code."],
    ),
    (
        "no CapabilityStatement",
        served_chart(LOW_COUNTS) | {METADATA: Reply(outcome("error"), 403)},
        0,
        ["· The server", "It tells nothing of itself. The token doesn't allow this (403).", "warning: "],
    ),
    (
        "a release that isn't read",
        served_chart(LOW_COUNTS) | {METADATA: capability_statement("1.0.2")},
        1,
        ["FHIR 1.0.2", "Only STU3, R4, R4B and R5 are read"],
    ),
    (
        "no right to the medications",
        served_chart(LOW_COUNTS) | {MEDICATIONS: Reply(outcome("error"), 403)},
        1,
        [
            "medications (MedicationRequest): failed after",
            "The token doesn't allow this (403).",
            "Grant the scope patient/MedicationRequest.rs (SMART 2; in SMART 1 patient/MedicationRequest.read)",
            "warning: ",
        ],
    ),
    (
        "no right to the counts",
        served_chart(LOW_COUNTS) | {COUNTS: Reply(outcome("error"), 403)},
        1,
        ["Grant the scope patient/Observation.rs", "None: the service would refuse the call."],
    ),
    (
        "conditions that fail as an OperationOutcome",
        served_chart(LOW_COUNTS) | {CONDITIONS: outcome("error")},
        1,
        ["conditions (Condition): failed after", "The server answered with an OperationOutcome"],
    ),
    (
        "a search by category that fails is no harm",
        served_chart(LOW_COUNTS) | {LABORATORY: Reply(outcome("error"), 400)},
        0,
        ["· Codes not read", "doesn't understand the question (400)", "The service itself doesn't need it."],
    ),
]


@pytest.mark.parametrize(("replies", "exit_code", "sentences"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_what_is_seen_is_said(doctor: Doctor, replies: dict[str, object], exit_code: int, sentences: list[str]) -> None:
    with fhir_stub(replies) as server:
        result = doctor(server.base)
    assert result.exit_code == exit_code, result.output
    for sentence in sentences:
        assert sentence in result.output
    assert "SECRET-DIAGNOSTICS" not in result.output


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_a_terminal_alone(doctor: Doctor, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    with fhir_stub(served_chart(LOW_COUNTS)) as server:
        result = doctor(server.base)
    assert ("Reading the chart" in result.stderr) is terminal
    assert "Reading the chart" not in result.stdout
    assert terminal or not result.stderr


def test_the_token_goes_to_the_server_and_nowhere_else(doctor: Doctor) -> None:
    with fhir_stub(served_chart(LOW_COUNTS)) as server:
        shown, as_json = (
            doctor(server.base, token="s3cret-token\n"),
            doctor(server.base, "--json", token="s3cret-token"),
        )
    assert shown.exit_code == as_json.exit_code == 0
    assert {asked.headers["Authorization"] for asked in server.asked} == {"Bearer s3cret-token"}
    assert "s3cret" not in shown.output + as_json.output


def test_only_counts_codes_units_and_the_headline_are_shown_of_the_chart(doctor: Doctor) -> None:
    named = {"name": [{"family": "Zzyzx"}]}
    notes = [*FURLONGS, {"condition": "local X1", "text": "Zzyzx disease"}]
    replies = served_chart(notes, OF_THE_HOUSE)
    replies |= {f"Patient/{chart.PATIENT}": chart.patient(**named)}
    with fhir_stub(replies) as server:
        output = doctor(server.base).output + doctor(server.base, "--json").output
    assert "Zzyzx" not in output
    assert "Leukozyten" not in output
    assert "1970" not in output


def test_units_and_codes_cannot_drive_the_terminal(doctor: Doctor) -> None:
    evil = "\x1b]0;owned\x07x"
    unread = {"wbc": 2.2, "days": 2, "unit": evil, "code": None}
    strange = chart.observation(
        {"wbc": 1, "id": "e", "with": {"code": {"coding": [{"system": "urn:x", "code": evil}]}}}, 9
    )
    with fhir_stub(served_chart([*LOW_COUNTS, unread], strange)) as server:
        output = doctor(server.base).output
    assert "\x1b" not in output
    assert "\x07" not in output


def test_the_steps_as_json(doctor: Doctor) -> None:
    with fhir_stub(served_chart(FURLONGS, OF_THE_HOUSE)) as server:
        result = doctor(server.base, "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    steps = {step["step"]: step for step in told["steps"]}
    assert (result.exit_code, told["outcome"], told["fhirServer"]) == (1, "problem", server.base)
    assert steps["The searches"]["facts"]["counts"]["found"] == 4
    assert steps["The results"]["facts"]["unitsNotRead"] == {"furlong/uL": 1}
    assert steps["The results"]["facts"]["setAside"] == {"unit-not-understood": 1}
    assert steps["Codes not read"]["facts"]["codesNotRead"] == {"urn:oid:1.2.3.4.5|LEUK": 1}
    assert steps["What a card would say"]["facts"]["indicator"] == "warning"


def test_a_server_too_slow_for_the_service_is_told() -> None:
    gathered = Gathered(entries={"counts": ()}, fetched_ms={"counts": 2500.0})
    step = searches_step([Search("counts", COUNTS, None, gathered)], 1, chart.PATIENT, budget_ms=2000)
    assert step.outcome is Outcome.PROBLEM
    assert "The slowest took 2500 ms, and the service waits 2000 ms in all (CDS_TIME_BUDGET_MS)." in step.says
    assert any("CDS_TIME_BUDGET_MS" in line for line in step.advice)


@pytest.mark.parametrize(("base", "told"), [("http://ehr.example.org/fhir", True), ("http://127.0.0.1/fhir", False)])
def test_a_token_that_travels_unencrypted_is_told(base: str, told: bool) -> None:
    body = json.dumps(capability_statement()).encode()
    introduced = Exchange("metadata", 3.0, Answer(200, "application/fhir+json", body))
    says = server_step(introduced, base, Release.R4, has_token=True).says
    assert ("The token travels unencrypted, as this is http." in says) is told
