"""Every sentence of `tests/spec/service.yaml`, through the whole service: HTTP in, card and extension out.

Each is told in every release of FHIR, and answered alike.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from cds_service.fhir_reading.releases import Release
from tests.builders import chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.releases import as_release

SENTENCES = yaml.safe_load((Path(__file__).parents[1] / "spec" / "service.yaml").read_text(encoding="utf-8"))
ASSESSMENT = "org.cytopenia-cds.assessment"


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: str(sentence["say"]))
def test_sentence(sentence: Mapping[str, Any], release: Release, client: FlaskClient) -> None:
    prefetched = chart.prefetch(sentence["chart"], **sentence.get("patient", {}))
    request = chart.call({key: as_release(part, release) for key, part in prefetched.items()})
    request["context"]["userId"] = sentence.get("user", "Practitioner/synthetic-p1")
    answer = client.post("/cds-services/cytopenia-review", json=request)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = answer.get_json()
    assert_response_conforms(body)
    _check(body, sentence["expect"])


def _check(body: Mapping[str, Any], expect: Mapping[str, Any]) -> None:
    assessment = body["extension"][ASSESSMENT]
    verdicts = {finding["finding"]: finding["verdict"] for finding in assessment["findings"]}
    assert set(verdicts) == {"leukopenia", "thrombocytopenia", "bicytopenia"}
    for finding in set(expect) & set(verdicts):
        assert verdicts[finding] == expect[finding], f"{finding}: {verdicts}"
    if "indicator" in expect:
        assert [card["indicator"] for card in body["cards"]] == ([expect["indicator"]] if expect["indicator"] else [])
    for member in ("causeGroups", "context"):
        if member in expect:
            assert sorted(g["group"] for g in assessment.get(member, [])) == sorted(expect[member])
    if "notUsed" in expect:
        assert sorted(n["reason"] for n in assessment.get("notUsed", [])) == sorted(expect["notUsed"])
    if "notAvailable" in expect:
        assert assessment.get("notAvailable", []) == expect["notAvailable"]
    assert assessment.get("withheld") == expect.get("withheld")
    said = " ".join(card["summary"] + "\n" + card["detail"] for card in body["cards"]).lower().replace("\\", "")
    for words in expect.get("says", []):
        assert words.lower() in said, said
