"""20,000 results in one call, under the default limit of a body: answered right.

How long it takes, and in how much memory, is measured by `python -m benchmarks.many_results`.
"""

from pathlib import Path

import pytest

from benchmarks.many_results import NOW, PATH, client, results
from benchmarks.payload import call_with

NUMBER = 20_000


@pytest.mark.parametrize("only_counts", [False, True])
def test_one_result_among_many_decides(only_counts: bool, tmp_path: Path) -> None:
    """A normal newest count among 20,000 low ones, sent in the middle, and another patient's beside it."""
    sent = results(NUMBER, compact=True, only_counts=only_counts)
    newest = {**sent[0], "id": "newest", "effectiveDateTime": NOW.isoformat()}
    newest["valueQuantity"] = {**sent[0]["valueQuantity"], "value": 5.5}
    foreign = {**newest, "id": "foreign", "subject": {"reference": "Patient/somebody-else"}}
    sent[NUMBER // 2 : NUMBER // 2] = [newest, foreign]
    body = call_with(sent)
    assert len(body) < 16_777_216
    answer = client(str(tmp_path)).post(PATH, data=body, content_type="application/json")
    assessment = answer.get_json()["extension"]["org.cytopenia-cds.assessment"]
    verdicts = {finding["finding"]: finding["verdict"] for finding in assessment["findings"]}
    assert verdicts == {"leukopenia": "absent", "thrombocytopenia": "present", "bicytopenia": "absent"}
    assert assessment["notUsed"] == [{"reference": "Observation/foreign", "reason": "other-patient"}]
