"""Counting: each card once, each message once, whatever the number of openings; parts add up to the whole."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.feedback_summary.fates import Fate, Kind
from cds_service.feedback_summary.observed import ObservedCard
from cds_service.feedback_summary.summing import DIMENSIONS, Cell, Dimension, Summary, summarise
from cds_service.feedback_summary.tallies import Tally
from tests.builders.observed import AS_OF, GIVEN, RULES, accepted, card, overridden, report

NORTH, SOUTH = CdsClient("https://north.example.org", "a"), CdsClient("https://south.example.org")
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def total(*cards: ObservedCard) -> Tally:
    return summarise(cards, RULES).total


def test_nothing_is_nothing_and_no_rate() -> None:
    nothing = total()
    assert (nothing.shown, nothing.distinct) == (0, 0)
    assert {nothing.override_rate.value, nothing.answer_rate.value, nothing.quiet_rate.value} == {None}


def test_every_card_is_in_one_count() -> None:
    told = total(
        card(accepted(), fingerprint="1"),
        card(overridden(), fingerprint="2"),
        card(report(), fingerprint="3"),
        card(fingerprint="4"),
        card(fingerprint="5", issued_at=AS_OF),
        card(fingerprint="6", shown=False, quieted_by="already-known"),
        card(fingerprint="7", shown=False),
    )
    assert {kind: told.count(kind) for kind in Kind} == {kind: 2 if kind is Kind.OVERRIDDEN else 1 for kind in Kind}
    assert told.shown == 5
    assert told.by_reason(Kind.OVERRIDDEN) == {"already-known": 1, "no-reason": 1}
    assert told.by_reason(Kind.QUIETED) == {"already-known": 1}
    assert (told.override_rate.part, told.override_rate.whole) == (2, 3)
    assert (told.answer_rate.part, told.answer_rate.whole) == (3, 4), "what may still be answered is in no rate"
    assert (told.quiet_rate.part, told.quiet_rate.whole) == (1, 6)


def test_a_message_shown_in_three_openings_is_three_cards_and_one_message() -> None:
    later = timedelta(days=20)
    told = summarise([card(), card(overridden(), issued_at=GIVEN + later / 2), card(issued_at=GIVEN + later)], RULES)
    january = told.cells[Cell("leukopenia", "warning", ANYONE, JANUARY)]
    february = told.cells[Cell("leukopenia", "warning", ANYONE, FEBRUARY)]
    assert (told.total.shown, told.total.distinct) == (3, 1)
    assert (january.distinct, february.distinct) == (1, 0), "it is counted where it was shown first"
    assert january.messages == {Fate(Kind.OVERRIDDEN, "already-known"): 1}, "one answer answers the message"
    assert (told.total.override_rate.whole, told.total.override_rate_of_messages.whole) == (1, 1)


def test_a_message_answered_differently_in_two_openings_counts_by_the_last_answer() -> None:
    told = total(card(accepted(10)), card(overridden(5)))
    assert told.messages == {Fate(Kind.ACCEPTED): 1}
    assert told.changed == 0, "two cards, each with one outcome"


def test_a_message_that_may_still_be_answered_waits() -> None:
    assert total(card(), card(issued_at=AS_OF)).messages == {Fate(Kind.WAITING): 1}


def test_a_message_that_was_only_ever_quiet_was_never_shown() -> None:
    assert total(card(shown=False, quieted_by="already-known")).distinct == 0


def test_the_same_fingerprint_at_another_client_is_another_message() -> None:
    assert total(card(client=NORTH), card(client=SOUTH)).distinct == 2


def test_a_card_of_both_outcomes_is_counted_once_and_said_to_have_changed() -> None:
    told = total(card(accepted(1), overridden(2, commented=True)))
    assert (told.shown, told.changed, told.comments) == (1, 1, 1)


def test_a_report_about_a_card_that_nobody_was_shown_is_counted_apart() -> None:
    told = summarise([card(accepted(), overridden(), shown=False, quieted_by="already-known")], RULES)
    assert told.reports_on_unshown == 2
    assert told.total.override_rate.whole == 0


@pytest.mark.parametrize(
    ("given_at", "month"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), JANUARY),
        (datetime(2026, 2, 1, tzinfo=UTC), FEBRUARY),
        (datetime(2026, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), JANUARY),
    ],
)
def test_months_are_those_of_utc(given_at: datetime, month: date) -> None:
    assert [cell.month for cell in summarise([card(issued_at=given_at)], RULES).cells] == [month]


def test_the_most_insistent_cards_come_first() -> None:
    cards = [card(indicator=name, fingerprint=name) for name in ("info", "critical", "warning")]
    assert list(summarise(cards, RULES).by(["indicator"])) == [("critical",), ("warning",), ("info",)]


_cards = st.builds(
    card,
    client=st.sampled_from([ANYONE, NORTH, SOUTH]),
    finding=st.sampled_from(["leukopenia", "bicytopenia"]),
    indicator=st.sampled_from(["info", "warning"]),
    fingerprint=st.sampled_from("abcd"),
    issued_at=st.datetimes(datetime(2025, 12, 1), datetime(2026, 6, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    shown=st.booleans(),
    quieted_by=st.sampled_from([None, "already-known"]),
)
_reports = st.lists(
    st.builds(report, st.sampled_from(["accepted", "overridden"]), st.integers(-100, 10**5)), max_size=3
)


@given(st.lists(st.builds(lambda one, told: replace(one, reports=tuple(told)), _cards, _reports), max_size=30))
def test_parts_add_up_to_the_whole_and_nothing_is_lost(cards: list[ObservedCard]) -> None:
    cards.sort(key=lambda one: (str(one.client), one.fingerprint, one.issued_at))
    told = summarise(cards, RULES)
    assert sum(told.total.cards.values()) == len(cards)
    assert told.total.distinct == len({(one.client, one.fingerprint) for one in cards if one.shown})
    assert told.total.shown == sum(one.shown for one in cards)
    for number in range(len(DIMENSIONS) + 1):
        for dimensions in combinations(DIMENSIONS, number):
            assert _added(told, dimensions) == told.total.cards


def _added(told: Summary, dimensions: tuple[Dimension, ...]) -> dict[Fate, int]:
    tallies = told.by(dimensions).values()
    fates = {fate for tally in tallies for fate in tally.cards}
    return {fate: sum(tally.cards[fate] for tally in tallies) for fate in fates}
