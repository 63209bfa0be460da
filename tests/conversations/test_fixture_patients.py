"""Every synthetic patient through the whole service: what their story expects, and the card word for word.

`pytest tests/conversations --update-golden` writes `fhir_fixtures/golden/` anew; the difference is then to be read by
someone who knows medicine.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_fixtures.dates import AS_OF
from fhir_fixtures.hook_requests import RequestStory, request_for
from tests.builders import chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.golden_cards import GOLDEN, card_page

FIXTURES = Path(__file__).parents[2] / "fhir_fixtures"
INDEX = json.loads((FIXTURES / "index.json").read_text(encoding="utf-8"))
PATIENTS = {patient["id"]: patient for patient in INDEX["patients"]}
ASSESSMENT = "org.cytopenia-cds.assessment"


def _answer(client: FlaskClient, patient: dict[str, Any]) -> dict[str, Any]:
    bundle = json.loads((FIXTURES / patient["file"]).read_text(encoding="utf-8"))
    story = RequestStory(name=patient["id"], patient=patient["id"], story=patient["story"], indicator=None)
    answer = client.post("/cds-services/cytopenia-review", json=request_for(story, bundle))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    assert_response_conforms(body, patient["id"])
    return body


def test_the_charts_reference_time_is_the_fixtures() -> None:
    assert chart.AS_OF == AS_OF


@pytest.mark.parametrize("patient_id", sorted(PATIENTS))
def test_the_patient_is_answered_as_the_story_expects(patient_id: str, client: FlaskClient) -> None:
    patient = PATIENTS[patient_id]
    body, expect = _answer(client, patient), patient["expect"]
    assessment = body["extension"][ASSESSMENT]
    verdicts = {finding["finding"]: finding["verdict"] for finding in assessment["findings"]}
    assert verdicts == {finding: expect[finding] for finding in verdicts}
    assert [card["indicator"] for card in body["cards"]] == ([expect["indicator"]] if expect["indicator"] else [])
    assert sorted(one["group"] for one in assessment.get("causeGroups", [])) == sorted(expect["causeGroups"])
    assert sorted(one["group"] for one in assessment.get("context", [])) == sorted(expect["context"])
    assert assessment.get("withheld") == expect.get("withheld")


@pytest.mark.parametrize("patient_id", sorted(PATIENTS))
def test_the_card_reads_as_agreed(patient_id: str, client: FlaskClient, request: pytest.FixtureRequest) -> None:
    cards = _answer(client, PATIENTS[patient_id])["cards"]
    golden = GOLDEN / f"{patient_id}.md"
    if not cards:
        assert not golden.exists(), "this patient has no card any more; delete the golden one"
        return
    if request.config.getoption("--update-golden"):
        golden.write_text(card_page(cards[0]), encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == card_page(cards[0]), "run with --update-golden and read the difference"
