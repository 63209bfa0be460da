"""Each window and limit of the criteria from both sides, its number written out by hand, through the whole service."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import chart
from tests.oracle.test_agreement import Told, told_by_service

MINUTE = 1 / 1440
Notes = list[dict[str, Any]]
TWO_LOW: Notes = [{"wbc": 2.9, "days": 3}, {"wbc": 2.9, "days": 23}]
BOTH_LOW: Notes = [*TWO_LOW, {"plt": 88, "days": 3}]
FALLEN: Notes = [{"wbc": 3.0, "days": 1}, {"plt": 100, "days": 1}, {"plt": 200, "days": 8}]


def told(client: FlaskClient, notes: Notes) -> Told:
    return told_by_service(client, chart.prefetch(notes))


@pytest.mark.parametrize(
    ("notes", "leukopenia", "indicator"),
    [
        ([{"wbc": 3.9999999999999996, "days": 1}], "unconfirmed", "info"),
        ([{"wbc": 4.0, "days": 1}], "absent", None),
        ([{"wbc": 4.0, "days": 1, "comparator": "<"}], "unconfirmed", "info"),
        ([{"wbc": 4.0, "days": 1, "comparator": "<="}], "not-evaluable", None),
        ([{"wbc": 4.0, "days": 1, "comparator": ">="}], "absent", None),
        ([{"wbc": 3.9, "days": 1, "comparator": ">"}], "not-evaluable", None),
        ([{"wbc": 3.9, "days": 90}], "unconfirmed", "info"),
        ([{"wbc": 3.9, "days": 90 + MINUTE}], "no-recent-result", None),
        ([{"wbc": 3.9, "date": chart.day(90)}], "unconfirmed", "info"),
        ([{"wbc": 3.9, "date": chart.day(91)}], "no-recent-result", None),
        ([{"wbc": 3.9, "days": 1}, {"wbc": 3.9, "days": 8}], "present", "warning"),
        ([{"wbc": 3.9, "days": 1}, {"wbc": 3.9, "days": 7}], "unconfirmed", "info"),
        (
            [{"wbc": 3.9, "date": "2026-01-08T23:59:00Z"}, {"wbc": 3.9, "date": "2026-01-15T00:01:00Z"}],
            "present",
            "warning",
        ),
        ([{"wbc": 3.9, "days": 1}, {"wbc": 3.9, "days": 181}], "present", "warning"),
        ([{"wbc": 3.9, "days": 1}, {"wbc": 3.9, "days": 182}], "unconfirmed", "info"),
        ([{"wbc": 3.9, "days": 5}, {"wbc": 3.9, "days": 185}, {"wbc": 3.9, "days": 365}], "present", "warning"),
        ([{"wbc": 5.0, "days": 1}, {"wbc": 3.9, "days": 1, "hours": 1}], "absent", None),
        (
            [{"wbc": 3.9, "date": "2026-01-14T12:00:00Z"}, {"wbc": 4.1, "date": "2026-01-14T12:00:59Z"}],
            "not-evaluable",
            "info",
        ),
        ([{"wbc": 3.9, "date": "2026-01-14T12:00:59Z"}, {"wbc": 4.1, "date": "2026-01-14T12:01:00Z"}], "absent", None),
        ([{"wbc": 3.9, "days": -1}], "unconfirmed", "info"),
        ([{"wbc": 3.9, "days": -1 - MINUTE}], "no-recent-result", None),
    ],
)
def test_leukopenia(client: FlaskClient, notes: Notes, leukopenia: str, indicator: str | None) -> None:
    answer = told(client, notes)
    assert (answer.verdicts["leukopenia"], answer.indicator) == (leukopenia, indicator)


@pytest.mark.parametrize(
    ("notes", "thrombocytopenia", "indicator"),
    [
        ([{"plt": 149.99, "days": 1}], "present", None),
        ([{"plt": 150, "days": 1}], "absent", None),
        ([{"plt": 99.99, "days": 1}], "present", "info"),
        ([{"plt": 100, "days": 1}], "present", None),
        ([{"plt": 120, "days": 1}, {"plt": 120, "days": 8}], "present", "info"),
        ([{"plt": 120, "days": 1}, {"plt": 120, "days": 7}], "present", None),
        ([{"plt": 24.99, "days": 30}], "present", "critical"),
        ([{"plt": 25, "days": 30}], "present", "info"),
        ([{"plt": 24.99, "days": 30 + MINUTE}], "present", "info"),
        ([{"plt": 88, "days": 2}, {"clumps": "present", "days": 1}], "unreliable", "info"),
        ([{"plt": 88, "days": 2 + MINUTE}, {"clumps": "present", "days": 1}], "present", "info"),
        ([{"plt": 20, "days": 1}, {"clumps": "few", "days": 1}], "unreliable", "info"),
        ([{"plt": 180, "days": 1}, {"clumps": "many", "days": 1}], "absent", None),
        ([{"plt": 140, "days": 1}, {"plt": 160, "days": 1}], "not-evaluable", "info"),
    ],
)
def test_thrombocytopenia(client: FlaskClient, notes: Notes, thrombocytopenia: str, indicator: str | None) -> None:
    answer = told(client, notes)
    assert (answer.verdicts["thrombocytopenia"], answer.indicator) == (thrombocytopenia, indicator)


@pytest.mark.parametrize(
    ("notes", "bicytopenia", "indicator"),
    [
        ([{"wbc": 2.9, "days": 1}, {"plt": 88, "days": 8}], "present", "warning"),
        ([{"wbc": 2.9, "days": 1}, {"plt": 88, "days": 9}], "absent", "info"),
        ([*FALLEN, {"wbc": 5.0, "days": 8}], "present", "info"),
        ([*FALLEN, {"wbc": 5.0, "days": 9}], "present", "warning"),
        ([{"wbc": 2.99, "days": 1}, *FALLEN[1:], {"wbc": 5.0, "days": 8}], "present", "warning"),
        ([FALLEN[0], {"plt": 99.9, "days": 1}, FALLEN[2], {"wbc": 5.0, "days": 8}], "present", "warning"),
        ([{"wbc": 0.99, "days": 30}, {"plt": 88, "days": 30}], "present", "critical"),
        ([{"wbc": 1.0, "days": 30}, {"plt": 88, "days": 30}], "present", "warning"),
        ([*BOTH_LOW, {"anc": 0.49, "days": 30}], "present", "critical"),
        ([*BOTH_LOW, {"anc": 0.5, "days": 30}], "present", "warning"),
        ([*BOTH_LOW, {"blasts": 1, "days": 30}], "present", "critical"),
        ([*BOTH_LOW, {"blasts": 1, "days": 31}], "present", "warning"),
        ([{"wbc": 2.9, "days": 1}], "no-recent-result", "info"),
        ([{"wbc": 2.9, "days": 1}, {"plt": 88, "days": 1, "note": "Clumps seen"}], "not-evaluable", "info"),
    ],
)
def test_bicytopenia_and_severity(client: FlaskClient, notes: Notes, bicytopenia: str, indicator: str | None) -> None:
    answer = told(client, notes)
    assert (answer.verdicts["bicytopenia"], answer.indicator) == (bicytopenia, indicator)


@pytest.mark.parametrize(
    ("record", "groups"),
    [
        ({"condition": "icd10cm A41.9", "days": 33}, {"infection"}),
        ({"condition": "icd10cm A41.9", "days": 34}, set()),
        ({"condition": "icd10cm A41.9", "days": -4}, {"infection"}),
        ({"condition": "icd10cm A41.9", "days": -5}, set()),
        ({"condition": "icd10cm A41.9"}, set()),
        ({"condition": "icd10cm A41.9", "recorded": 33}, {"infection"}),
        ({"condition": "icd10cm C91.00", "days": 4000}, {"hematologic-malignancy"}),
        ({"condition": "icd10cm C91.00", "verification": "differential"}, set()),
        ({"condition": "icd10cm C91.00", "clinical": "remission"}, set()),
        ({"condition": "icd10 C91.0"}, {"hematologic-malignancy"}),
        ({"condition": "icd10cm Z85.6"}, set()),
        ({"medication": "rxnorm 6851", "days": 93, "status": "stopped"}, {"drug"}),
        ({"medication": "rxnorm 6851", "days": 94, "status": "stopped"}, set()),
        ({"medication": "rxnorm 6851", "days": 3, "status": "active"}, {"drug"}),
        ({"medication": "rxnorm 6851", "days": 2, "status": "active"}, set()),
        ({"medication": "rxnorm 6851", "status": "active"}, {"drug"}),
        ({"medication": "rxnorm 6851", "status": "cancelled"}, set()),
        ({"medication": "rxnorm 6851", "status": "active", "intent": "plan"}, set()),
    ],
)
def test_evidence(client: FlaskClient, record: dict[str, Any], groups: set[str]) -> None:
    assert set(told(client, [*BOTH_LOW, record]).causes) == groups


@pytest.mark.parametrize(
    ("notes", "indicator"),
    [
        ([*BOTH_LOW, {"condition": "icd10cm Z51.11", "days": 45}], "info"),
        ([*BOTH_LOW, {"condition": "icd10cm Z51.11", "days": 46}], "warning"),
        ([*BOTH_LOW, {"condition": "icd10cm Z51.11", "days": 2}], "warning"),
        ([*BOTH_LOW, {"medication": "rxnorm 3002", "days": 93, "status": "completed"}], "info"),
        ([*BOTH_LOW, {"medication": "rxnorm 3002", "days": 94, "status": "completed"}], "warning"),
        ([*BOTH_LOW, {"condition": "icd10cm D46.9", "days": 900}], "info"),
        ([*BOTH_LOW, {"condition": "icd10cm D46.9", "days": 900, "clinical": "resolved"}], "warning"),
        ([*BOTH_LOW, {"condition": "icd10cm Z85.6"}], "warning"),
        ([*BOTH_LOW, {"condition": "icd10cm Z67.A1"}], "warning"),
        ([*TWO_LOW, {"plt": 150, "days": 3}, {"condition": "icd10cm Z67.A1"}], "info"),
        ([*TWO_LOW, {"condition": "icd10cm Z67.A1"}], "warning"),
        ([*TWO_LOW, {"plt": 150, "days": 3}, {"condition": "icd10cm Z67.A1"}, {"anc": 1.0, "days": 3}], "info"),
        ([*TWO_LOW, {"plt": 150, "days": 3}, {"condition": "icd10cm Z67.A1"}, {"anc": 0.99, "days": 3}], "warning"),
        (
            [{"wbc": 2.0, "days": 3}, TWO_LOW[1], {"plt": 150, "days": 3}, {"condition": "icd10cm Z67.A1"}],
            "info",
        ),
        (
            [{"wbc": 1.99, "days": 3}, TWO_LOW[1], {"plt": 150, "days": 3}, {"condition": "icd10cm Z67.A1"}],
            "warning",
        ),
        ([*BOTH_LOW, {"blasts": 1, "days": 3}, {"condition": "icd10cm D46.9"}], "critical"),
    ],
)
def test_downgrade(client: FlaskClient, notes: Notes, indicator: str) -> None:
    assert told(client, notes).indicator == indicator
