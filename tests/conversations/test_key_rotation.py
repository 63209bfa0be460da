"""The pseudonym key is replaced: what feedback quieted stays quiet while both keys are known, and speaks afterwards."""

from pathlib import Path

import pytest

from tests.builders.remembering_ehr import Ehr, Site

OLD, NEW = "the old key, for tests only", "the new key, for tests only"


@pytest.fixture
def ehr(tmp_path: Path) -> Ehr:
    """A chart whose card was overridden as already known, under the old key."""
    opened = Ehr(Site(tmp_path, {"pseudonym_key": OLD}))
    opened.add([{"wbc": 2.9, "day": -3}, {"wbc": 3.0, "day": -30}])
    opened.open_chart(0)
    opened.override(0, "already-known")
    assert opened.open_chart(1)["cards"] == []
    return opened


def test_while_the_previous_key_is_known_feedback_under_it_still_quiets(ehr: Ehr) -> None:
    ehr.site = Site(ehr.site.folder, {"pseudonym_key": NEW, "pseudonym_key_previous": OLD})
    assert ehr.open_chart(2)["cards"] == []
    assert ehr.assessment["quieted"]["by"] == "already-known"


def test_worse_speaks_under_the_previous_key_too(ehr: Ehr) -> None:
    ehr.site = Site(ehr.site.folder, {"pseudonym_key": NEW, "pseudonym_key_previous": OLD})
    ehr.add([{"wbc": 2.1, "day": 1}])
    assert len(ehr.open_chart(2)["cards"]) == 1


def test_feedback_under_the_new_key_outlives_the_previous_one(ehr: Ehr) -> None:
    both = {"pseudonym_key": NEW, "pseudonym_key_previous": OLD}
    ehr.site = Site(ehr.site.folder, both)
    ehr.add([{"wbc": 2.1, "day": 1}])
    ehr.open_chart(2)
    ehr.override(2, "already-known")
    ehr.site = Site(ehr.site.folder, {"pseudonym_key": NEW})
    assert ehr.open_chart(3)["cards"] == []


def test_without_the_previous_key_the_card_is_shown_again(ehr: Ehr) -> None:
    ehr.site = Site(ehr.site.folder, {"pseudonym_key": NEW})
    assert len(ehr.open_chart(2)["cards"]) == 1
