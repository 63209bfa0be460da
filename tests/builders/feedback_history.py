"""A SYNTHETIC history of cards and feedback, for tests and pictures: no patient, no clinician, no hospital behind it.

The same seed makes the same history. `python -m tests.builders.feedback_history FILE [--messages N]` keeps one in a
new SQLite file.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import insert

from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.feedback import FeedbackEntry, ReasonCoding
from cds_service.records.issued_cards import _row
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.records.tables import ISSUED_CARDS
from cds_service.services.issued_card import IssuedCard
from tests.builders.records import issued_card

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 304
CLIENTS = (CdsClient("https://north.example.org/fhir", "north"), CdsClient("https://south.example.org/fhir"))
OURS = "https://cytopenia-cds.org/CodeSystem/override-reason"
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
ALREADY_KNOWN = ReasonCoding("already-known", OURS)
EXPECTED = ReasonCoding("expected-effect-of-treatment", OURS)
NOT_RELEVANT = ReasonCoding("action-not-priority", HL7)
NOT_CREDIBLE = ReasonCoding("result-not-credible", OURS)
_MIX: tuple[tuple[str, str, int, float], ...] = (
    ("leukopenia", "warning", 40, 0.55),
    ("leukopenia", "info", 20, 0.8),
    ("bicytopenia", "warning", 18, 0.35),
    ("bicytopenia", "critical", 4, 0.15),
    ("thrombocytopenia", "warning", 18, 0.6),
)
"""Finding, indicator, weight, and the share overridden at the beginning; it falls while quieting is learned."""
_REASONS = ((ALREADY_KNOWN, 5), (EXPECTED, 3), (NOT_RELEVANT, 2), (NOT_CREDIBLE, 1), (None, 2))
_COMMENT = "Synthetic comment: seen in clinic, counts followed there."


@dataclass(frozen=True)
class Told:
    """A card and what was reported of it, with when the report came."""

    card: IssuedCard
    reports: tuple[tuple[datetime, FeedbackEntry], ...] = ()


def synthetic_history(seed: int = 1, messages: int = 600) -> Iterator[Told]:
    """Messages in the order they begin, each with the openings of the chart that showed it, or kept it quiet."""
    chance = random.Random(seed)
    for number in range(messages):
        begun = FIRST + timedelta(days=DAYS * number / messages, hours=chance.random() * 9 + 8)
        yield from _message(chance, begun)


def keep_cards(stores: Stores, cards: Sequence[IssuedCard]) -> None:
    """Keep cards in one transaction, however long it takes: nobody is waiting for an answer."""
    with stores.database.writing() as connection:
        connection.execute(insert(ISSUED_CARDS), [_row(card) for card in cards])


def keep_history(stores: Stores, seed: int = 1, messages: int = 600) -> None:
    """Keep a history: cards as they come, each week's reports at the week's end."""
    reports: list[tuple[datetime, CdsClient, FeedbackEntry]] = []
    cards: list[IssuedCard] = []
    for told in synthetic_history(seed, messages):
        cards.append(told.card)
        reports += [(received, told.card.client, entry) for received, entry in told.reports]
    keep_cards(stores, cards)
    reports.sort(key=lambda one: (one[0], str(one[1])))
    for (received, client), entries in groupby(reports, key=lambda one: one[:2]):
        stores.feedback.store([entry for _, _, entry in entries], received, "cytopenia-review", client)


def _message(chance: random.Random, begun: datetime) -> Iterator[Told]:
    finding, indicator, _, share = chance.choices(_MIX, [row[2] for row in _MIX])[0]
    client = chance.choices(CLIENTS, (3, 1))[0]
    learned = (begun - FIRST) / timedelta(days=DAYS)
    fingerprint = f"{chance.getrandbits(128):032x}"
    quiet: str | None = None
    for opening in range(chance.choices((1, 2, 3, 5), (6, 3, 2, 1))[0]):
        card = issued_card(
            card=_uuid(chance), suggestions=(_uuid(chance),), client=client, hook_instance=_uuid(chance),
            finding=finding, indicator=indicator, critical=indicator == "critical", fingerprint=fingerprint,
            issued_at=begun + timedelta(days=2 * opening, minutes=chance.randrange(60)),
        )  # fmt: skip
        if quiet is not None:
            yield Told(replace(card, shown=False, quieted_by=quiet, quieted_until=card.issued_at + timedelta(days=30)))
            continue
        entry = _reaction(chance, card, share * (1 - 0.4 * learned))
        yield Told(card, () if entry is None else ((_end_of_week(entry.outcome_timestamp), entry),))
        if entry is not None and indicator != "critical":
            quiet = "accepted-suggestion" if entry.outcome == "accepted" else _quieting(entry.override_reason)


def _reaction(chance: random.Random, card: IssuedCard, overridden: float) -> FeedbackEntry | None:
    if chance.random() < 0.3:
        return None
    at = card.issued_at + timedelta(minutes=chance.randrange(1, 30))
    if chance.random() >= overridden:
        return FeedbackEntry(card.card, "accepted", at, card.suggestions)
    reason = chance.choices([row[0] for row in _REASONS], [row[1] for row in _REASONS])[0]
    comment = _COMMENT if chance.random() < 0.05 else None
    return FeedbackEntry(card.card, "overridden", at, override_reason=reason, user_comment=comment)


def _quieting(reason: ReasonCoding | None) -> str | None:
    names = {ALREADY_KNOWN: "already-known", EXPECTED: "expected-effect", NOT_RELEVANT: "not-relevant"}
    return None if reason is None else names.get(reason)


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _end_of_week(moment: datetime) -> datetime:
    """These clients report once a week, so that a history takes few transactions."""
    return FIRST + timedelta(weeks=(moment - FIRST) // timedelta(weeks=1) + 1)


def main() -> None:
    """Keep a history in a new file."""
    parser = argparse.ArgumentParser(description="Keep a synthetic history of cards and feedback in a new SQLite file.")
    parser.add_argument("file")
    parser.add_argument("--messages", type=int, default=600)
    asked = parser.parse_args()
    url = f"sqlite:///{asked.file}"
    migrate(url)
    keep_history(open_stores(url), messages=asked.messages)


if __name__ == "__main__":
    main()
