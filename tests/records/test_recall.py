"""What is remembered of a patient's cards: what was shown and answered, by the client it was shown to, and no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry, ReasonCoding
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.services.issued_card import IssuedCard, Pseudonym

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BEFORE = AT - timedelta(days=90)
CARD = IssuedCard(
    card="0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11",
    suggestions=("s1",),
    client=ANYONE,
    service="cytopenia-review",
    hook_instance="i1",
    patient=Pseudonym("key", "patient-hash"),
    user=Pseudonym("key", "user-hash"),
    finding="leukopenia",
    severity_band="leukocytes-2",
    indicator="warning",
    critical=False,
    fingerprint="f1",
    knowledge_version="2026.1",
    issued_at=AT,
    basis={"results": {"leukocytes": "mark"}},
)
OVERRIDDEN = FeedbackEntry(CARD.card, "overridden", AT, override_reason=ReasonCoding("known", "urn:ours"))


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    url = f"sqlite:///{tmp_path}/records.sqlite3"
    migrate(url)
    return open_stores(url)


def report(stores: Stores, entry: FeedbackEntry, received: datetime = AT, client: CdsClient = ANYONE) -> None:
    stores.feedback.store([entry], received, CARD.service, client)


def test_a_card_comes_back_as_it_was_kept_with_what_was_said_of_it(stores: Stores) -> None:
    stores.issued_cards.record([CARD])
    report(stores, OVERRIDDEN)
    recalled = stores.issued_cards.recall(CARD, BEFORE)
    assert recalled.again == CARD
    (answered,) = recalled.answered
    assert (answered.card, answered.outcome, answered.at) == (CARD, "overridden", AT)
    assert answered.reason == ("urn:ours", "known")


def test_a_card_that_nobody_answered_is_not_among_the_answered(stores: Stores) -> None:
    stores.issued_cards.record([CARD])
    assert stores.issued_cards.recall(CARD, BEFORE).answered == ()
    assert stores.issued_cards.recall(replace(CARD, card="other"), BEFORE).again is None


def test_accepted_suggestions_are_recalled(stores: Stores) -> None:
    stores.issued_cards.record([CARD])
    report(stores, FeedbackEntry(CARD.card, "accepted", AT, ("s1",)))
    (answered,) = stores.issued_cards.recall(CARD, BEFORE).answered
    assert answered.took_a_suggestion
    assert not replace(answered, accepted=frozenset({"foreign"})).took_a_suggestion


@pytest.mark.parametrize(
    "other",
    [
        replace(CARD, client=CdsClient("https://ehr.example.org")),
        replace(CARD, client=CdsClient(None, "north")),
        replace(CARD, patient=Pseudonym("key", "somebody else")),
        replace(CARD, service="another-service"),
    ],
)
def test_nothing_is_remembered_of_others(stores: Stores, other: IssuedCard) -> None:
    stores.issued_cards.record([CARD])
    report(stores, OVERRIDDEN)
    assert stores.issued_cards.recall(other, BEFORE).answered == ()


@pytest.mark.parametrize("client", [CdsClient("https://ehr.example.org"), CdsClient(None, "north")])
def test_what_another_client_says_of_a_card_is_not_heard(stores: Stores, client: CdsClient) -> None:
    stores.issued_cards.record([CARD])
    report(stores, OVERRIDDEN, client=client)
    assert stores.issued_cards.recall(CARD, BEFORE).answered == ()


def test_a_card_of_one_id_at_two_clients_is_two(stores: Stores) -> None:
    north = CdsClient(None, "north")
    stores.issued_cards.record([CARD, replace(CARD, client=north, finding="bicytopenia")])
    report(stores, OVERRIDDEN, client=north)
    assert stores.issued_cards.recall(CARD, BEFORE).answered == ()
    (answered,) = stores.issued_cards.recall(replace(CARD, client=north), BEFORE).answered
    assert answered.card.finding == "bicytopenia"


def test_a_card_that_was_not_shown_has_no_answers(stores: Stores) -> None:
    stores.issued_cards.record([replace(CARD, shown=False)])
    report(stores, OVERRIDDEN)
    assert stores.issued_cards.recall(CARD, BEFORE).answered == ()


def test_reports_of_long_ago_are_left_where_they_are(stores: Stores) -> None:
    stores.issued_cards.record([CARD])
    report(stores, OVERRIDDEN)
    assert stores.issued_cards.recall(CARD, AT).answered == ()
    assert stores.issued_cards.recall(CARD, AT - timedelta(seconds=1)).answered != ()


@pytest.mark.parametrize("second_received", [0, 1])
def test_the_last_act_counts_and_of_one_moment_the_last_report(stores: Stores, second_received: int) -> None:
    stores.issued_cards.record([CARD])
    late = AT + timedelta(minutes=5)
    report(stores, OVERRIDDEN, late)
    second = replace(OVERRIDDEN, override_reason=ReasonCoding("second", "urn:ours"))
    report(stores, second, late + timedelta(minutes=second_received))
    (answered,) = stores.issued_cards.recall(CARD, BEFORE).answered
    assert answered.reason == ("urn:ours", "second")
    earlier_act = replace(OVERRIDDEN, outcome_timestamp=AT - timedelta(minutes=1))
    report(stores, earlier_act, late + timedelta(hours=1))
    (answered,) = stores.issued_cards.recall(CARD, BEFORE).answered
    assert answered.reason == ("urn:ours", "second"), "it was sent last, and was not the last that was done"


def test_nobody_acts_after_the_report(stores: Stores) -> None:
    stores.issued_cards.record([CARD])
    report(stores, replace(OVERRIDDEN, outcome_timestamp=AT + timedelta(days=3000)))
    (answered,) = stores.issued_cards.recall(CARD, BEFORE).answered
    assert answered.at == AT


def test_a_database_that_is_gone_is_said(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "records.sqlite3").unlink()
    with pytest.raises(StoreUnavailable):
        stores.issued_cards.recall(CARD, BEFORE)
    with pytest.raises(StoreUnavailable):
        stores.issued_cards.record([CARD])
