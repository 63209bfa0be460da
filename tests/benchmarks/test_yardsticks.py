"""The yardsticks that judge say what the service says of the charts they are measured with: or nothing is compared."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation

from benchmarks.contest import SIZES
from benchmarks.many_results import NOW, PATH, client
from benchmarks.payload import COUNTS, NORMAL_COUNTS, PATIENT_ID, history, request_body
from benchmarks.yardsticks.simple_rule import cards_about


@pytest.mark.parametrize("findings", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_the_plain_rule_finds_what_the_service_finds(size: int, findings: bool, tmp_path: Path) -> None:
    answer = client(str(tmp_path)).post(PATH, data=request_body(size, NOW, findings), content_type="application/json")
    ours = [card["indicator"] for card in answer.get_json()["cards"]]
    sent = history(size, NOW, COUNTS if findings else NORMAL_COUNTS)
    theirs = cards_about([Observation.model_validate(one) for one in sent], PATIENT_ID, NOW)
    assert ours == [card["indicator"] for card in theirs] == ["warning"] * findings


def test_the_plain_rule_names_both_newest_counts() -> None:
    (card,) = cards_about([Observation.model_validate(one) for one in history(60, NOW)], PATIENT_ID, NOW)
    assert "leukocytes 2.9" in card["summary"]
    assert "platelets 88.1" in card["summary"]


def test_results_of_another_patient_or_too_old_say_nothing() -> None:
    models = [Observation.model_validate(one) for one in history(60, NOW)]
    assert cards_about(models, "somebody-else", NOW) == []
    assert cards_about(models, PATIENT_ID, datetime(2028, 1, 1, tzinfo=UTC)) == []
