"""Which Observation statuses count is the site's to say: some servers send `unknown` on every laboratory result."""

from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import load_settings
from tests.builders import chart
from tests.builders.conversation import post

ASSESSMENT = "org.cytopenia-cds.assessment"


def _answered(status: str) -> tuple[str, list[str], int]:
    """Verdict on leukopenia, reasons why results weren't used, number of cards, for two low counts of this status."""
    client = create_app(load_settings(auth="off"), clock=lambda: chart.AS_OF).test_client()
    notes: list[dict[str, Any]] = [{"wbc": 2.9, "days": days, "status": status} for days in (1, 21)]
    answer = post(client, chart.call(chart.prefetch(notes)))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = answer.get_json()
    assessment = body["extension"][ASSESSMENT]
    return (
        assessment["findings"][0]["verdict"],
        [one["reason"] for one in assessment.get("notUsed", [])],
        len(body["cards"]),
    )


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        ("unknown", "not-evaluable", "status-unknown"),
        ("preliminary", "no-recent-result", "status-not-final"),
    ],
)
def test_a_status_counts_where_the_site_says_so_and_nowhere_else(
    status: str, verdict: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/feedback.sqlite3")
    monkeypatch.delenv("CDS_ACCEPTED_STATUSES", raising=False)
    assert _answered(status) == (verdict, [reason] * 2, 0)
    monkeypatch.setenv("CDS_ACCEPTED_STATUSES", f"final,amended,corrected,{status}")
    assert _answered(status) == ("present", [], 1)
    assert _answered("registered")[0] == "no-recent-result"
    assert _answered("entered-in-error")[0] == "no-recent-result"


def test_a_status_that_the_site_leaves_out_no_longer_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/feedback.sqlite3")
    monkeypatch.setenv("CDS_ACCEPTED_STATUSES", "corrected")
    assert _answered("corrected")[0] == "present"
    assert _answered("final")[0] != "present"
