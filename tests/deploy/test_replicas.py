"""Three real replicas that share PostgreSQL and Redis: whichever is asked, they answer as one service."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.builders.client_tokens import FEEDBACK, SERVICE
from tests.builders.conversation import overridden
from tests.builders.replicas import OTHER_ISSUER, Replicas, low_counts, replicas

pytestmark = pytest.mark.server
LIMIT = 150
"""Calls that one client may make a day."""


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    folder, before = tmp_path_factory.mktemp("replicas"), "before"  # the answer: a test is faster than a clinician
    with replicas(folder, CDS_RATE_LIMIT=f"{LIMIT}/day", CDS_RECORDS_WRITES=before) as running:
        yield running


def test_one_use_of_a_token_holds_for_all_of_them(three: Replicas) -> None:
    for _ in range(3):
        token = three.token(SERVICE)
        with ThreadPoolExecutor(3) as pool:
            answers = pool.map(lambda number, sent=token: three.post(number, SERVICE, low_counts(), sent), range(3))
            assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


def test_feedback_told_to_one_quiets_on_the_others(three: Replicas) -> None:
    assert any(_is_quiet_elsewhere(three) for _ in range(20)), "of twenty patients one: memory may be too slow for some"


def _is_quiet_elsewhere(three: Replicas) -> bool:
    """Whether a card given and set aside at two replicas is quiet at the third and at the first."""
    opened = low_counts()
    (card,) = three.post(0, SERVICE, opened).json()["cards"]
    reason = next(reason for reason in card["overrideReasons"] if reason["code"] == "already-known")
    told = {"outcomeTimestamp": datetime.now(UTC).isoformat(), "overrideReason": {"reason": reason}}
    report = {"feedback": [overridden(card=card["uuid"], **told)]}
    assert three.post(1, FEEDBACK, report).status_code == 200
    again = [three.post(number, SERVICE, opened | {"hookInstance": str(uuid.uuid4())}).json() for number in (2, 0)]
    return all(_assessment(answer).get("quieted", {}).get("by") == "already-known" for answer in again)


def test_a_retry_at_another_replica_gets_the_same_card(three: Replicas) -> None:
    opened = low_counts()
    first, second = (three.post(number, SERVICE, opened).json() for number in (0, 1))
    assert [card["uuid"] for card in first["cards"]] == [card["uuid"] for card in second["cards"]]
    assert _assessment(first)["fingerprint"] == _assessment(second)["fingerprint"]


def test_a_clients_calls_are_counted_together(three: Replicas) -> None:
    statuses = [three.post(number % 3, SERVICE, {}, issuer=OTHER_ISSUER).status_code for number in range(LIMIT + 3)]
    assert statuses == [400] * LIMIT + [429] * 3


def _assessment(answer: dict[str, Any]) -> dict[str, Any]:
    assessment: dict[str, Any] = answer["extension"]["org.cytopenia-cds.assessment"]
    return assessment
