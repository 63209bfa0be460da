"""Cards and audit entries kept behind the answers: none is lost unseen, and a report finds its card."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, current_thread
from typing import Any

import pytest

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import RequestInvalid, StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records import stores as stores_module
from cds_service.records.audit_trail import AuditEntry, AuditTrail
from cds_service.records.database import Database
from cds_service.records.feedback import ForeignCards
from cds_service.records.hurry import Hurry
from cds_service.records.issued_cards import SqlIssuedCards, issued_to
from cds_service.records.kept_rows import BOTH, Fate, Keeper, KeptRow, Kind, RowWriter
from cds_service.records.stores import Stores, open_stores
from cds_service.services.issued_card import IssuedCard
from tests.builders.behind import LONG
from tests.builders.records import issued_card

WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CARD = issued_card()
REPORT = FeedbackEntry(CARD.card, "overridden", WHEN)


class GatedWriter(RowWriter):
    """Writes behind answers only while the gate is open; what is written at once it doesn't hold up."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.gate = Event()

    def write(self, rows: Sequence[KeptRow]) -> None:
        assert current_thread().name != "records-behind" or self.gate.wait(LONG)
        super().write(rows)


class Replica:
    """One process of the service over a database that others use, too; its queue is written when the test says so."""

    def __init__(self, url: str, foreign: ForeignCards, monkeypatch: pytest.MonkeyPatch) -> None:
        writers: list[GatedWriter] = []

        def gated(database: Database) -> GatedWriter:
            writers.append(GatedWriter(database))
            return writers[-1]

        with monkeypatch.context() as patch:
            patch.setattr(stores_module, "RowWriter", gated)
            self.stores: Stores = open_stores(url, foreign, BOTH)
        self.gate = writers[0].gate

    def give(self, card: IssuedCard) -> None:
        self.stores.issued_cards.record([card])

    def write(self) -> None:
        self.gate.set()
        assert self.stores.keeper.flush(LONG)

    def is_told(self, client: CdsClient = ANYONE) -> Sequence[FeedbackEntry]:
        """Takes the report; those it counts as news of a card of ours."""
        return self.stores.feedback.store([REPORT], WHEN, CARD.service, client)

    def answered(self) -> list[str]:
        return [one.card.card for one in self.stores.issued_cards.recall(CARD, WHEN - timedelta(days=1)).answered]

    def foreign(self) -> list[object]:
        return [told["foreignCard"] for told in self.stores.feedback.export()]


def test_a_report_right_after_the_answer_finds_its_card_in_the_same_process(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Replica(url, "mark", monkeypatch)
    here.gate.set()
    here.give(CARD)
    assert here.is_told() == [REPORT]
    assert here.foreign() == [False]
    assert here.answered() == [CARD.card]


def test_a_report_that_overtakes_its_card_to_another_process_is_kept_and_joined_later(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (Replica(url, "mark", monkeypatch) for _ in range(2))
    here.give(CARD)
    assert there.is_told() == []
    assert (there.answered(), there.foreign()) == ([], [True])
    here.write()
    assert (there.answered(), there.foreign()) == ([CARD.card], [False])
    assert (here.answered(), here.foreign()) == ([CARD.card], [False])


def test_a_report_of_another_client_stays_foreign(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = (Replica(url, "mark", monkeypatch) for _ in range(2))
    here.give(CARD)
    there.is_told(CdsClient("https://another.example.org/fhir"))
    here.write()
    assert (there.answered(), there.foreign()) == ([], [True])


def test_where_foreign_reports_are_refused_a_card_is_there_before_its_answer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (Replica(url, "refuse", monkeypatch) for _ in range(2))
    with pytest.raises(RequestInvalid):
        there.is_told()
    here.give(CARD)
    assert there.is_told() == [REPORT]
    here.stores.audit_trail.append(AuditEntry(WHEN, 200))
    assert list(there.stores.audit_trail.export()) == [], "the trail may wait all the same"
    here.write()
    assert len(list(there.stores.audit_trail.export())) == 1


class Counted:
    """A keeper over a database, and what it tells of its rows."""

    def __init__(self, url: str, capacity: int = 1000) -> None:
        self.database = Database(url, wait_ms=200)
        self.writer = GatedWriter(self.database)
        self.counts: Counter[tuple[Fate, Kind]] = Counter()
        self.keeper = Keeper(self.writer, BOTH, self._count, capacity)
        self.trail = AuditTrail(self.database, self._keep)
        self.cards = SqlIssuedCards(self.database, self._keep)

    def _count(self, fate: Fate, kind: Kind, number: int) -> None:
        self.counts[fate, kind] += number

    def _keep(self, rows: Sequence[KeptRow]) -> None:
        self.keeper.keep(rows, Hurry(LONG))

    def append(self, *statuses: int) -> None:
        for status in statuses:
            self.trail.append(AuditEntry(WHEN, status))

    @property
    def kept(self) -> list[int]:
        return [entry.status for entry in self.trail.export()]


def test_a_full_queue_is_passed_by_and_loses_nothing(url: str) -> None:
    counted = Counted(url, capacity=2)
    counted.append(201, 202, 203)
    assert counted.kept == [203], "two wait, the third was written by who brought it"
    assert counted.counts == {("taken", "audit"): 3, ("written", "audit"): 1}
    counted.writer.gate.set()
    assert counted.keeper.flush(LONG)
    assert counted.kept == [203, 201, 202]
    assert counted.counts == {("taken", "audit"): 3, ("written", "audit"): 3}


def test_what_finds_no_room_and_no_database_is_lost_and_said_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(url, capacity=1)
    counted.append(201)

    def fail(_: object, __: object) -> None:
        raise StoreUnavailable("synthetic")

    with monkeypatch.context() as patch:
        patch.setattr(RowWriter, "write", fail)
        with pytest.raises(StoreUnavailable):
            counted.append(202)
    assert counted.counts == {("taken", "audit"): 2, ("lost", "audit"): 1}
    counted.writer.gate.set()
    assert counted.keeper.flush(LONG)
    assert counted.kept == [201]


@pytest.mark.parametrize("finding", [None, "a\0b", "\ud800"], ids=["missing", "NUL", "half a character"])
def test_a_row_that_no_database_takes_is_lost_alone_and_counted(url: str, finding: Any) -> None:
    counted = Counted(url)
    cards = [issued_card(card=f"card-{number}") for number in range(5)]
    for card in (*cards[:3], replace(CARD, finding=finding), *cards[3:]):
        counted.cards.record([card])
        counted.append(200)
    counted.writer.gate.set()
    assert counted.keeper.flush(LONG)
    assert counted.kept == [200] * 6
    with counted.database.reading() as connection:
        found = issued_to(connection, ANYONE, [CARD.card, *(card.card for card in cards)])
    refused = CARD.card not in found
    assert found - {CARD.card} == {card.card for card in cards}
    assert counted.counts["lost-behind", "cards"] == refused
    assert counted.counts["written", "cards"] == 6 - refused
    assert counted.counts["lost-behind", "audit"] == 0
    if finding is None:
        assert refused


def test_a_card_of_a_repeated_call_is_kept_once_as_it_was_first(url: str) -> None:
    counted = Counted(url)
    counted.writer.gate.set()
    counted.cards.record([CARD])
    counted.cards.record([replace(CARD, shown=False)])
    assert counted.keeper.flush(LONG)
    counted.cards.record([replace(CARD, shown=False)])
    assert counted.keeper.flush(LONG)
    with counted.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT shown FROM issued_cards").scalars().all() == [True]


def test_closing_the_records_writes_what_waits(url: str) -> None:
    stores = open_stores(url, "mark", BOTH)
    stores.audit_trail.append(AuditEntry(WHEN, 201))
    stores.close()
    stores.audit_trail.append(AuditEntry(WHEN, 202))
    assert [entry.status for entry in stores.audit_trail.export()] == [201, 202], "and then each at once"
    stores.close()
