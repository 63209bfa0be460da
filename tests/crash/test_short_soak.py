"""One round of every fault on each database: what was acknowledged is there, once; no call in flight is cut."""

import tempfile
from pathlib import Path

import pytest

from tests.builders.postgresql import find_programs
from tests.crash.soak import soak

pytestmark = pytest.mark.server


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_lost_duplicated_halved_or_dropped(kind: str) -> None:
    if kind == "postgresql" and find_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    outcome = soak(kind, 0, Path(tempfile.mkdtemp(prefix="cds-soak-")))
    assert outcome.held, outcome
    assert outcome.reports > 30
    assert outcome.refused_reports > 5
