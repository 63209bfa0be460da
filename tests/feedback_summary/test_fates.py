"""What became of a card: one fate each, by rules a clinical lead can read."""

from datetime import timedelta

import pytest

from cds_service.feedback_summary.fates import Fate, Kind, last_of
from cds_service.feedback_summary.observed import ObservedCard
from tests.builders.observed import AS_OF, RULES, accepted, card, overridden, report

WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("sentence", "observed", "fate"),
    [
        ("a suggestion was taken over", card(accepted()), Fate(Kind.ACCEPTED)),
        ("set aside for a reason of ours", card(overridden()), Fate(Kind.OVERRIDDEN, "already-known")),
        ("set aside without a reason", card(report()), Fate(Kind.OVERRIDDEN, "no-reason")),
        (
            "a client's own reason isn't repeated",
            card(overridden(reason=("https://example.org/reasons", "Mrs Example is known"))),
            Fate(Kind.OVERRIDDEN, "other"),
        ),
        (
            "our code in another system is not our reason",
            card(overridden(reason=("https://elsewhere.example.org", "known"))),
            Fate(Kind.OVERRIDDEN, "other"),
        ),
        ("nothing was reported for months", card(), Fate(Kind.IGNORED)),
        ("nothing yet, a moment before the week is over", card(issued_at=AS_OF - WEEK + timedelta(seconds=1)),
         Fate(Kind.WAITING)),
        ("nothing, and the week is over", card(issued_at=AS_OF - WEEK), Fate(Kind.IGNORED)),
        ("a report counts however late it comes", card(accepted(minutes=60 * 24 * 90)), Fate(Kind.ACCEPTED)),
        ("a report counts before the week is over", card(overridden(), issued_at=AS_OF - timedelta(minutes=9)),
         Fate(Kind.OVERRIDDEN, "already-known")),
        ("kept quiet", card(shown=False, quieted_by="not-relevant"), Fate(Kind.QUIETED, "not-relevant")),
        ("not shown for another reason", card(shown=False), Fate(Kind.WITHHELD)),
        ("what nobody was shown can't be accepted", card(accepted(), shown=False), Fate(Kind.WITHHELD)),
        ("first set aside, then taken over", card(overridden(1), accepted(2)), Fate(Kind.ACCEPTED)),
        ("first taken over, then set aside", card(accepted(1), overridden(2)), Fate(Kind.OVERRIDDEN, "already-known")),
        ("reported in the other order, the later act counts", card(overridden(2), accepted(1)),
         Fate(Kind.OVERRIDDEN, "already-known")),
    ],
)  # fmt: skip
def test_what_became_of_it(sentence: str, observed: ObservedCard, fate: Fate) -> None:
    assert RULES.fate_of(observed) == fate, sentence


def test_of_two_reports_of_one_moment_the_one_that_came_last_counts() -> None:
    first, second = report(), overridden()
    assert last_of([first, second]) is second
    assert last_of([second, first]) is first
    assert last_of([]) is None


def test_a_clients_clock_that_runs_ahead_outweighs_nothing_that_came_later() -> None:
    ahead = overridden(minutes=60 * 24 * 365, received_at=overridden(5).received_at)
    assert last_of([ahead, accepted(30)]) == accepted(30)
