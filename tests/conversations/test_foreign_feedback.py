"""Feedback for a card that never given to this client: taken and marked, or refused if a site wants that."""

from pathlib import Path
from typing import Any

import pytest

from cds_service.cds_hooks.clients import CdsClient
from cds_service.records.stores import open_stores
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import FEEDBACK, overridden
from tests.builders.remembering_ehr import Ehr, Site, utc


def _site(folder: Path, **settings: Any) -> tuple[Site, str]:
    """A site that has given one card; the card's id."""
    ehr = Ehr(Site(folder, settings))
    ehr.add([{"wbc": 2.9, "day": -3}, {"wbc": 3.0, "day": -30}])
    ehr.open_chart(0)
    return ehr.site, ehr.card["uuid"]


def _kept(folder: Path) -> list[object]:
    return [told.get("foreignCard") for told in open_stores(f"sqlite:///{folder}/records.sqlite3").feedback.export()]


def test_it_is_taken_and_marked(tmp_path: Path) -> None:
    site, card = _site(tmp_path)
    report = {"feedback": [overridden(card=card, outcomeTimestamp=utc(0)), overridden(outcomeTimestamp=utc(0))]}
    assert site.client.post(FEEDBACK, json=report).status_code == 200
    site.caller = CdsClient("https://another.example.org/fhir")
    assert site.client.post(FEEDBACK, json=report).status_code == 200
    assert _kept(tmp_path) == [False, True, True, True]


def test_a_site_can_refuse_it(tmp_path: Path) -> None:
    site, card = _site(tmp_path, foreign_feedback="refuse")
    own, foreign = overridden(card=card, outcomeTimestamp=utc(0)), overridden(outcomeTimestamp=utc(0))
    refused = site.client.post(FEEDBACK, json={"feedback": [own, foreign]})
    assert refused.status_code == 400
    assert_operation_outcome(refused.get_json(force=True))
    assert "feedback[1].card" in refused.get_data(as_text=True)
    assert _kept(tmp_path) == []
    assert site.client.post(FEEDBACK, json={"feedback": [own]}).status_code == 200


@pytest.mark.parametrize("foreign_feedback", ["mark", "refuse"])
def test_without_memory_it_can_not_be_told_and_all_is_taken(tmp_path: Path, foreign_feedback: str) -> None:
    site, _ = _site(tmp_path, memory=False, foreign_feedback=foreign_feedback)
    assert site.client.post(FEEDBACK, json={"feedback": [overridden()]}).status_code == 200
    assert _kept(tmp_path) == [None]
