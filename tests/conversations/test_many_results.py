"""20,000 results in one call, under the default limit of a body: answered right, in time that grows with their number.

The seconds are of CPU and twice what one core of a small machine needs; `python -m benchmarks.many_results` measures.
"""

from pathlib import Path

import pytest

from benchmarks.many_results import NOW, PATH, client, request_body, results, seconds_of_cpu

NUMBER = 20_000
SECONDS = 4.0


@pytest.mark.parametrize("only_counts", [False, True])
def test_many_results_are_answered_in_time(only_counts: bool, tmp_path: Path) -> None:
    body = request_body(results(NUMBER, compact=True, only_counts=only_counts))
    assert len(body) < 16_777_216
    asked = client(str(tmp_path))
    asked.get("/livez")
    assert min(seconds_of_cpu(asked, body) for _ in range(2)) < SECONDS


def test_one_result_among_many_decides(tmp_path: Path) -> None:
    """A normal newest count among 20,000 low ones, sent in the middle, and another patient's beside it."""
    sent = results(NUMBER, compact=True, only_counts=True)
    newest = {**sent[0], "id": "newest", "effectiveDateTime": NOW.isoformat()}
    newest["valueQuantity"] = {**sent[0]["valueQuantity"], "value": 5.5}
    foreign = {**newest, "id": "foreign", "subject": {"reference": "Patient/somebody-else"}}
    sent[NUMBER // 2 : NUMBER // 2] = [newest, foreign]
    answer = client(str(tmp_path)).post(PATH, data=request_body(sent), content_type="application/json")
    assessment = answer.get_json()["extension"]["org.cytopenia-cds.assessment"]
    verdicts = {finding["finding"]: finding["verdict"] for finding in assessment["findings"]}
    assert verdicts == {"leukopenia": "absent", "thrombocytopenia": "present", "bicytopenia": "absent"}
    assert assessment["notUsed"] == [{"reference": "Observation/foreign", "reason": "other-patient"}]
