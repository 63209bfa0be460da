"""The stories of `tests/spec/quieting.yaml`, over HTTP: call, card, feedback, and what is shown at the next call."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.cds_hooks.clients import CdsClient
from tests.builders.remembering_ehr import REASONS, Ehr, Site, utc

_NUMBERS = itertools.count(100)
STORIES = yaml.safe_load((Path(__file__).parents[1] / "spec" / "quieting.yaml").read_text(encoding="utf-8"))
KNOWN = {"day", "shows", "quiet", "until", "silent", "overrides", "acted", "accepts", "adds", "drops", "user", "by"} | {
    *("server", "finding", "again", "same", "says")
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("quieting"))


@pytest.fixture
def ehr(site: Site) -> Ehr:
    """Each story has a patient of its own."""
    site.caller = CdsClient()
    return Ehr(site, patient=f"synthetic-{next(_NUMBERS)}")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story["say"]))
def test_story(story: Mapping[str, Any], ehr: Ehr) -> None:
    ehr.add(story["chart"])
    for step in story["steps"]:
        assert set(step) <= KNOWN, f"not understood: {set(step) - KNOWN}"
        _prepare(step, ehr)
        if "overrides" in step:
            ehr.override(step["day"], step["overrides"], step.get("acted"))
        elif "accepts" in step:
            ehr.accept(step["day"], step["accepts"], step.get("acted"))
        else:
            _open(step, ehr)


def test_every_override_reason_of_the_cards_is_in_a_story(ehr: Ehr) -> None:
    ehr.add([{"wbc": 2.9, "day": -3}])
    offered = {(one["system"], one["code"]): one["display"] for one in ehr.open_chart(0)["cards"][0]["overrideReasons"]}
    assert {(one["system"], one["code"]) for one in REASONS.values()} == set(offered)
    told = {step["overrides"] for story in STORIES for step in story["steps"] if "overrides" in step}
    assert told == {*REASONS, None}


def _prepare(step: Mapping[str, Any], ehr: Ehr) -> None:
    ehr.drop(step.get("drops", ()))
    ehr.add(step.get("adds", ()))
    ehr.user = step.get("user", ehr.user)
    ehr.server = step.get("server", ehr.server)
    if "by" in step:
        ehr.site.caller = CdsClient(tenant=step["by"])


def _open(step: Mapping[str, Any], ehr: Ehr) -> None:
    before = ehr.card
    answer = ehr.open_chart(step["day"], again=step.get("again", False))
    shown = [card["indicator"] for card in answer["cards"]]
    quieted: dict[str, Any] | None = ehr.assessment.get("quieted")
    assert "withheld" not in ehr.assessment
    if "quiet" in step:
        assert shown == [], "it is quiet"
        assert quieted is not None, "and says so"
        finding = step.get("finding", quieted["finding"])
        assert quieted == {"finding": finding, "by": step["quiet"], "until": utc(step["until"])}
        return
    assert quieted is None, "nothing quiets it"
    assert shown == ([] if step.get("silent") else [step["shows"]])
    _compare(step, before, ehr)


def _compare(step: Mapping[str, Any], before: Mapping[str, Any], ehr: Ehr) -> None:
    if "finding" in step:
        labels = [one["label"] for one in ehr.card["suggestions"]]
        assert any("ultrasound" in label for label in labels) == (step["finding"] == "bicytopenia")
    if "says" in step:
        assert step["says"] in ehr.card["detail"]
    if step.get("same"):
        assert ehr.card["summary"] == before["summary"]
        assert _without_window(ehr.card["detail"]) == _without_window(before["detail"])
        assert (ehr.card["uuid"] == before["uuid"]) == step.get("again", False)


def _without_window(detail: str) -> list[str]:
    """All but the line that says of which days results were read."""
    return [line for line in detail.splitlines() if not line.startswith("- Read:")]
