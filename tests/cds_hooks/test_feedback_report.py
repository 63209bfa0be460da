"""A feedback body to frozen entries. (What is refused: tests/contract/test_feedback.py.)"""

import json
from datetime import UTC, datetime

import pytest

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.feedback import FeedbackEntry, ReasonCoding
from cds_service.cds_hooks.feedback_report import parse_feedback
from tests.builders.conversation import CARD, SUGGESTION, accepted, overridden

AT = datetime(2026, 1, 15, 12, 1, tzinfo=UTC)


def _parse(*entries: dict[str, object]) -> tuple[FeedbackEntry, ...]:
    return parse_feedback(json.dumps({"feedback": entries}).encode())


def test_accepted_and_overridden_are_read_whole() -> None:
    reason = {"reason": {"code": "known", "system": "https://example.org/r"}, "userComment": "synthetic"}
    assert _parse(accepted(), overridden(card=CARD.upper(), overrideReason=reason)) == (
        FeedbackEntry(CARD, "accepted", AT, (SUGGESTION,)),
        FeedbackEntry(CARD, "overridden", AT, (), ReasonCoding("known", "https://example.org/r"), "synthetic"),
    )


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T14:01:00+02:00", AT),
        ("2026-01-15t12:01:00z", AT),
        ("2026-01-15T12:01:00.5Z", AT.replace(microsecond=500_000)),
        ("2026-01-15T12:01:00.1234567Z", AT.replace(microsecond=123_456)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_kept_in_utc(text: str, instant: datetime) -> None:
    (entry,) = _parse(overridden(outcomeTimestamp=text))
    assert entry.outcome_timestamp == instant
    assert entry.outcome_timestamp.tzinfo is UTC


def test_one_bad_entry_refuses_the_report_and_is_named() -> None:
    with pytest.raises(RequestInvalid, match=r"'feedback\[1\].card'"):
        _parse(accepted(), accepted(card="x"))
