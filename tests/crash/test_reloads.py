"""One reload and one rolling restart under load: no call is lost."""

import tempfile
from pathlib import Path

import pytest

from tests.crash.reloads import roll

pytestmark = pytest.mark.server


def test_no_call_is_lost_by_reloads_and_rolling_restarts() -> None:
    outcome = roll(1, 1, Path(tempfile.mkdtemp(prefix="cds-rolling-")), drain_seconds=None)
    assert outcome.lost == {}
    assert outcome.versions == 2
