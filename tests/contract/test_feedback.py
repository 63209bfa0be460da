"""Feedback: the shapes that are taken, and those that are refused (FB rows)."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import (
    CARD,
    FEEDBACK,
    SUGGESTION,
    accepted,
    overridden,
    post,
    post_raw,
    without,
)

REASON = {"code": "known", "system": "https://example.org/reasons", "display": "Already known"}

LONE_SURROGATE = json.dumps({"feedback": [overridden(overrideReason={"userComment": "a\ud83d"})]}).encode()
NO_ENTRIES: list[Any] = [None, {}, "x", 1, []]
NO_OUTCOMES: list[Any] = ["ignored", "Accepted", None, 1, []]
NO_SUGGESTIONS: list[Any] = [SUGGESTION, {}, None, {"id": ""}, {"id": 1}, {"uuid": SUGGESTION}, {"id": "x"}]


def _reason(**members: Any) -> dict[str, Any]:
    return overridden(overrideReason=members)


TAKEN: dict[str, Any] = {
    "FB-1": [accepted()],
    "FB-2": [overridden()],
    "FB-3": [_reason(reason=REASON, userComment="synthetic comment")],
    "FB-3 without display": [_reason(reason=without(REASON, "display"))],
    "FB-4": [_reason(userComment="synthetic comment")],
    "FB-5": [accepted(), overridden(card=SUGGESTION), overridden(card=CARD.upper())],
    "FB-13 fraction": [overridden(outcomeTimestamp="2026-01-15T12:01:00.123456789Z")],
    "FB-13 zero offset": [overridden(outcomeTimestamp="2026-01-15T12:01:00+00:00")],
    "FB-13 offset": [overridden(outcomeTimestamp="2026-01-15T14:01:00+02:00")],
    "FB-13 lower case": [overridden(outcomeTimestamp="2026-01-15t12:01:00z")],
    "FB-13 leap second": [overridden(outcomeTimestamp="2016-12-31T23:59:60Z")],
    "the first and the last year": [overridden(outcomeTimestamp=f"{year}-06-01T00:00:00Z") for year in (2000, 2099)],
    "FB-19": [overridden(extension={"org.example.x": {"a": None}}, unknown=1)],
    "null optionals": [overridden(acceptedSuggestions=None, overrideReason=None)],
    "empty comment beside a reason": [_reason(reason=REASON, userComment="")],
    "the longest comment": [_reason(userComment="x" * 10_000)],
}

REFUSED: dict[str, Any] = {
    **{f"FB-7 {value!r}": {"feedback": value} for value in NO_ENTRIES},
    "FB-7 missing": {},
    "FB-8": {"feedback": [without(accepted(), "card")]},
    "FB-8 no UUID": {"feedback": [accepted(card="card-1")]},
    "FB-8 number": {"feedback": [accepted(card=1)]},
    "FB-9 missing": {"feedback": [without(accepted(), "outcome")]},
    **{f"FB-9 {value!r}": {"feedback": [accepted(outcome=value)]} for value in NO_OUTCOMES},
    "FB-10 missing": {"feedback": [without(accepted(), "acceptedSuggestions")]},
    "FB-10 empty": {"feedback": [accepted(acceptedSuggestions=[])]},
    **{
        f"FB-11 {value!r}": {"feedback": [accepted(acceptedSuggestions=[value])]}
        for value in NO_SUGGESTIONS
    },
    "FB-11 object": {"feedback": [accepted(acceptedSuggestions={"id": SUGGESTION})]},
    "FB-12 missing": {"feedback": [without(accepted(), "outcomeTimestamp")]},
    **{
        f"FB-12 {value!r}": {"feedback": [accepted(outcomeTimestamp=value)]}
        for value in (
            "2026-01-15", "2026-01-15T12:01:00", "20260115T120100Z", "2026-01-15 12:01:00Z", "2026-02-30T00:00:00Z",
            "2026-01-15T25:00:00Z", "15 Jan 2026", "", 1768478460, None, "0001-01-01T00:00:00+14:00",
            "2026-01-15T12:01:00Z\n", "٢٠٢٦-01-15T12:01:00Z", "0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
            "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        )
    },
    "FB-14": {"feedback": [_reason()]},
    "FB-14 empty comment": {"feedback": [_reason(userComment="")]},
    "FB-14 text": {"feedback": [overridden(overrideReason="known")]},
    "FB-15 code": {"feedback": [_reason(reason=without(REASON, "code"))]},
    "FB-15 system": {"feedback": [_reason(reason=without(REASON, "system"))]},
    "FB-15 text": {"feedback": [_reason(reason="known")]},
    "FB-15 empty": {"feedback": [_reason(reason={})]},
    "comment too long": {"feedback": [_reason(userComment="x" * 10_001)]},
    "comment with NUL": {"feedback": [_reason(userComment="a\x00b")]},
    "code too long": {"feedback": [_reason(reason=REASON | {"code": "x" * 1001})]},
    "too many entries": {"feedback": [overridden()] * 1001},
    "far too many entries": {"feedback": [overridden()] * 10_000},
    "a huge comment": {"feedback": [_reason(userComment="x" * 1_000_000)]},
    "display with NUL": {"feedback": [_reason(reason=REASON | {"display": "a\x00b"})]},
    "code with NUL": {"feedback": [_reason(reason=REASON | {"code": "\x00"})]},
    "too many suggestions": {"feedback": [accepted(acceptedSuggestions=[{"id": SUGGESTION}] * 101)]},
    "an entry that is none": {"feedback": [accepted(), 7]},
    "FB-20 array": [accepted()],
}  # fmt: skip


@pytest.mark.parametrize("entries", TAKEN.values(), ids=TAKEN.keys())
def test_is_taken(client: FlaskClient, entries: list[Any]) -> None:
    answer = post(client, {"feedback": entries, "extension": {"org.example.x": 1}}, FEEDBACK)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.data == b""
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused(client: FlaskClient, body: Any) -> None:
    answer = post(client, body, FEEDBACK)
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert_operation_outcome(answer.get_json(force=True))


@pytest.mark.parametrize("body", [b"", b"[1", b"accepted", b'{"feedback": NaN}', b"\xff", LONE_SURROGATE])
def test_fb_20_what_is_not_json_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = post_raw(client, body, FEEDBACK)
    assert answer.status_code == 400
    assert_operation_outcome(answer.get_json(force=True))


def test_fb_6_and_17_a_report_may_come_twice_and_about_an_unknown_card(client: FlaskClient) -> None:
    for _ in range(2):
        assert post(client, {"feedback": [accepted()]}, FEEDBACK).status_code == 200
