"""One kill and one replacement of all replicas under load: only what the killed one was working on is lost."""

from pathlib import Path

import pytest

from tests.crash.rolling import roll

pytestmark = pytest.mark.server


def test_a_kill_costs_its_own_calls_and_a_replacement_none(tmp_path: Path) -> None:
    outcome = roll(tmp_path, rounds=1)
    assert outcome.held, outcome
    assert outcome.calls > 100
