"""Issued cards beside their feedback, on both databases: joined by client and card, streamed in the order counted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.feedback import FeedbackEntry, ReasonCoding
from cds_service.feedback_summary.observed import ObservedCard, Period, UncountedReports
from cds_service.records.feedback import SqlFeedbackStore
from cds_service.records.issued_cards import SqlIssuedCards
from cds_service.records.observed_cards import ObservedCards
from cds_service.records.stores import Stores
from cds_service.services.issued_card import IssuedCard
from tests.builders.feedback_history import keep_cards, keep_history, synthetic_history
from tests.builders.records import issued_card

GIVEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
NORTH = CdsClient("https://north.example.org", "a")


def _id(number: int) -> str:
    return str(UUID(int=number, version=4))


def _card(number: int, **members: Any) -> IssuedCard:
    return issued_card(card=_id(number), hook_instance=_id(number), issued_at=GIVEN, **members)


def _accepted(number: int, minutes: int = 5) -> FeedbackEntry:
    return FeedbackEntry(_id(number), "accepted", GIVEN + timedelta(minutes=minutes), (_id(99),))


def _overridden(number: int, comment: str | None = None, reason: ReasonCoding | None = None) -> FeedbackEntry:
    at = GIVEN + timedelta(minutes=number)
    return FeedbackEntry(_id(number), "overridden", at, override_reason=reason, user_comment=comment)


def _report(stores: Stores, *entries: FeedbackEntry, client: CdsClient = ANYONE, at: datetime = GIVEN) -> None:
    stores.feedback.store(entries, at, "cytopenia-review", client)


def _streamed(stores: Stores, **period: Any) -> list[ObservedCard]:
    return list(ObservedCards(stores.database).stream(Period(**period)))


def test_a_card_comes_with_its_reports_in_the_order_they_came(stores: Stores) -> None:
    keep_cards(stores, [_card(1)])
    reason = ReasonCoding("known", "https://example.org/reasons")
    _report(stores, _accepted(1), at=GIVEN + timedelta(days=1))
    _report(stores, _overridden(1, "synthetic", reason), at=GIVEN + timedelta(days=2))
    (card,) = _streamed(stores)
    assert (card.finding, card.indicator, card.issued_at, card.shown) == ("leukopenia", "warning", GIVEN, True)
    assert [report.outcome for report in card.reports] == ["accepted", "overridden"]
    assert [report.reason for report in card.reports] == [None, ("https://example.org/reasons", "known")]
    assert [report.commented for report in card.reports] == [False, True]
    assert card.reports[0].acted_at == GIVEN + timedelta(minutes=5)
    assert card.reports[1].received_at == GIVEN + timedelta(days=2)


def test_a_retried_call_shows_one_card(stores: Stores) -> None:
    for _ in range(2):
        SqlIssuedCards(stores.database).record([_card(1)])
    assert len(_streamed(stores)) == 1
    assert ObservedCards(stores.database).count(Period()) == 1


@pytest.mark.parametrize("other", [CdsClient("https://south.example.org", "a"), CdsClient(NORTH.issuer, "b")])
def test_anothers_report_about_a_card_is_not_this_clients(stores: Stores, other: CdsClient) -> None:
    keep_cards(stores, [_card(1, client=NORTH), _card(1, client=other)])
    _report(stores, _accepted(1), client=other)
    assert {card.client: len(card.reports) for card in _streamed(stores)} == {NORTH: 0, other: 1}


def test_cards_of_one_message_follow_each_other_the_earliest_first(stores: Stores) -> None:
    days = {5: "b", 1: "a", 4: "a", 2: "b", 3: "a"}
    keep_cards(
        stores,
        [
            issued_card(card=_id(day), fingerprint=name, issued_at=GIVEN + timedelta(days=day))
            for day, name in days.items()
        ],
    )
    order = [(card.fingerprint, (card.issued_at - GIVEN).days) for card in _streamed(stores)]
    assert order == [("a", 1), ("a", 3), ("a", 4), ("b", 2), ("b", 5)]


@pytest.mark.parametrize(
    ("period", "numbers"),
    [
        ({}, {0, 1, 2}),
        ({"since": GIVEN}, {0, 1, 2}),
        ({"since": GIVEN + timedelta(microseconds=1)}, {1, 2}),
        ({"until": GIVEN + timedelta(days=1)}, {0}),
        ({"since": GIVEN + timedelta(days=1), "until": GIVEN + timedelta(days=2)}, {1}),
        ({"issuer": NORTH.issuer}, {2}),
        ({"issuer": "https://nobody.example.org"}, set()),
    ],
)
def test_a_period_holds_its_first_moment_and_not_its_end(
    stores: Stores, period: dict[str, Any], numbers: set[int]
) -> None:
    cards = [
        issued_card(card=_id(day), issued_at=GIVEN + timedelta(days=day), client=NORTH if day == 2 else ANYONE)
        for day in range(3)
    ]
    keep_cards(stores, cards)
    assert {(card.issued_at - GIVEN).days for card in _streamed(stores, **period)} == numbers
    assert ObservedCards(stores.database).count(Period(**period)) == len(numbers)


def test_silent_cards_are_apart_and_told_as_they_would_have_been_shown(stores: Stores) -> None:
    silent = {"mode": "silent", "shown": False}
    keep_cards(
        stores, [_card(1), _card(2, **silent), _card(3, **silent, quieted_by="already-known"), _card(4, shown=False)]
    )
    assert [card.shown for card in _streamed(stores, mode="silent")] == [True, False]
    assert [card.shown for card in _streamed(stores)] == [True, False]


def test_a_report_about_a_silent_card_that_nobody_saw_tells_nothing_of_it(stores: Stores) -> None:
    keep_cards(stores, [_card(1, mode="silent", shown=False)])
    _report(stores, _overridden(1))
    assert [card.reports for card in _streamed(stores, mode="silent")] == [()]


def test_reports_about_no_card_that_is_kept_are_counted_by_why(stores: Stores) -> None:
    marking = ObservedCards(stores.database)
    _report(stores, _accepted(7))
    knowing = SqlFeedbackStore(stores.database, "mark")
    keep_cards(stores, [_card(1), _card(2, client=NORTH)])
    knowing.store([_accepted(1), _accepted(2), _accepted(3)], GIVEN, "cytopenia-review", ANYONE)
    assert marking.uncounted(Period()) == UncountedReports(foreign=2, unknown=1)
    assert marking.uncounted(Period(issuer=NORTH.issuer)) == UncountedReports()
    assert marking.uncounted(Period(until=GIVEN)) == UncountedReports()


def test_the_newest_comments_come_first_with_the_card_they_were_about(stores: Stores) -> None:
    keep_cards(stores, [_card(1), _card(2, indicator="info")])
    _report(
        stores, _overridden(1, "first"), _accepted(2), _overridden(2, "second"), _overridden(3, "of no card of ours")
    )
    told = ObservedCards(stores.database).comments(Period(), 2)
    assert [(one.text, one.indicator, one.card) for one in told] == [
        ("of no card of ours", None, _id(3)),
        ("second", "info", _id(2)),
    ]


def test_a_whole_history_comes_out_as_it_went_in(stores: Stores) -> None:
    keep_history(stores, messages=120)
    told = list(synthetic_history(messages=120))
    streamed = _streamed(stores)
    assert len(streamed) == len(told)
    assert sum(len(card.reports) for card in streamed) == sum(len(one.reports) for one in told)
    assert sum(card.shown for card in streamed) == sum(one.card.shown for one in told)
