"""Feedback is kept whole, once, on disk before it is acknowledged, and comes out as it was told."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import RequestInvalid, StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry, FeedbackStore, ReasonCoding
from cds_service.records import engines
from cds_service.records.database import Database
from cds_service.records.feedback import SqlFeedbackStore
from cds_service.records.issued_cards import SqlIssuedCards
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from tests.builders.postgresql import PostgresServer
from tests.builders.records import issued_card

WHEN = datetime(2026, 1, 15, 12, 0, 0, 250000, tzinfo=UTC)
RECEIVED = datetime(2026, 1, 15, 12, 0, 5, tzinfo=UTC)
ACCEPTED = FeedbackEntry(
    "0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11", "accepted", WHEN, ("5e5a4ab2-6a5f-4d0f-8a1a-0f2c2d3b4e55",)
)
OVERRIDDEN = FeedbackEntry(
    "1c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a12",
    "overridden",
    WHEN,
    override_reason=ReasonCoding("already-known", "https://example.org/reasons", "Already known"),
    user_comment="Synthetic: bekannt 已知 🩸 ; DROP TABLE feedback",
)


CLIENT = CdsClient("https://ehr.example.org/fhir", "north")


@pytest.fixture
def store(stores: Stores) -> SqlFeedbackStore:
    return stores.feedback


def test_it_is_what_the_protocol_asks_for(store: SqlFeedbackStore) -> None:
    kept: FeedbackStore = store
    kept.store([ACCEPTED], RECEIVED, "cytopenia-review", ANYONE)


def test_what_was_told_comes_out_as_on_the_wire(store: SqlFeedbackStore) -> None:
    bare = replace(OVERRIDDEN, card="c", override_reason=None, user_comment=None)
    uncoded = replace(OVERRIDDEN, card="d", override_reason=None)
    without_display = replace(OVERRIDDEN, card="e", override_reason=ReasonCoding("a", "b"), user_comment=None)
    store.store([ACCEPTED, OVERRIDDEN, bare, uncoded, without_display], RECEIVED, "cytopenia-review")
    about = {
        "outcomeTimestamp": "2026-01-15T12:00:00.250000Z",
        "service": "cytopenia-review",
        "receivedAt": "2026-01-15T12:00:05Z",
    }
    reason = {"code": "already-known", "system": "https://example.org/reasons", "display": "Already known"}
    suggestions = [{"id": ACCEPTED.accepted_suggestions[0]}]
    comment = OVERRIDDEN.user_comment
    overridden = {"outcome": "overridden", **about}
    assert list(store.export()) == [
        {"card": ACCEPTED.card, "outcome": "accepted", "acceptedSuggestions": suggestions, **about},
        {"card": OVERRIDDEN.card, "overrideReason": {"reason": reason, "userComment": comment}, **overridden},
        {"card": "c", **overridden},
        {"card": "d", "overrideReason": {"userComment": comment}, **overridden},
        {"card": "e", "overrideReason": {"reason": {"code": "a", "system": "b"}}, **overridden},
    ]


def test_the_same_report_again_is_no_second_row(store: SqlFeedbackStore) -> None:
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    for entries in ([ACCEPTED], [ACCEPTED], [ACCEPTED, ACCEPTED], [replace(ACCEPTED, outcome_timestamp=elsewhere)]):
        store.store(entries, RECEIVED + timedelta(days=1), "cytopenia-review")
    assert len(list(store.export())) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(ACCEPTED, card="another"),
        replace(ACCEPTED, outcome="overridden"),
        replace(ACCEPTED, outcome_timestamp=WHEN + timedelta(microseconds=1)),
        replace(ACCEPTED, accepted_suggestions=()),
        replace(ACCEPTED, override_reason=ReasonCoding("a", "b")),
        replace(ACCEPTED, user_comment="no"),
    ],
)
def test_another_report_is_another_row(store: SqlFeedbackStore, other: FeedbackEntry) -> None:
    store.store([ACCEPTED], RECEIVED, "cytopenia-review")
    store.store([ACCEPTED, other], RECEIVED, "cytopenia-review")
    store.store([ACCEPTED], RECEIVED, "another-service")
    assert len(list(store.export())) == 3


def test_a_report_of_nothing_stores_nothing(store: SqlFeedbackStore) -> None:
    store.store([], RECEIVED, "cytopenia-review")
    assert list(store.export()) == []


def test_a_large_report_is_one_transaction_and_comes_out_in_its_order(store: SqlFeedbackStore) -> None:
    store.store([replace(ACCEPTED, card=str(number)) for number in range(3000)], RECEIVED, "cytopenia-review")
    assert [told["card"] for told in store.export()] == [str(number) for number in range(3000)]


@pytest.mark.parametrize("stranger", [CdsClient("https://other.example.org"), replace(CLIENT, tenant="south"), ANYONE])
def test_another_clients_report_is_its_own_and_does_not_hide_the_first(
    store: SqlFeedbackStore, stranger: CdsClient
) -> None:
    for client in (stranger, CLIENT, CLIENT, stranger):
        store.store([ACCEPTED], RECEIVED, "cytopenia-review", client)
    assert [(told.get("client"), told.get("tenant")) for told in store.export()] == [
        (stranger.issuer, stranger.tenant),
        (CLIENT.issuer, CLIENT.tenant),
    ]


def test_eight_at_once_are_one_row(url: str) -> None:
    """Each with a connection of its own; all get through."""
    opened = [open_stores(url) for _ in range(8)]
    together = Barrier(8)

    def report(stores: Stores) -> None:
        together.wait(timeout=30)
        stores.feedback.store([ACCEPTED, OVERRIDDEN], RECEIVED, "cytopenia-review", CLIENT)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(report, opened))
    assert len(list(opened[0].feedback.export())) == 2
    for stores in opened:
        stores.database.close()


@pytest.mark.parametrize("by", [CdsClient("https://other.example.org"), replace(CLIENT, tenant="south"), ANYONE])
def test_feedback_for_a_card_of_another_client_is_kept_and_marked(url: str, by: CdsClient) -> None:
    stores = open_stores(url, "mark")
    stores.issued_cards.record([issued_card(card=ACCEPTED.card, client=CLIENT)])
    stores.feedback.store([ACCEPTED, OVERRIDDEN], RECEIVED, "cytopenia-review", CLIENT)
    stores.feedback.store([ACCEPTED], RECEIVED, "cytopenia-review", by)
    told = [(told["card"], told["foreignCard"]) for told in stores.feedback.export()]
    assert told == [(ACCEPTED.card, False), (OVERRIDDEN.card, True), (ACCEPTED.card, True)]
    stores.database.close()


def test_a_site_can_refuse_feedback_for_foreign_cards_and_then_keeps_none_of_the_report(url: str) -> None:
    stores = open_stores(url, "refuse")
    stores.issued_cards.record([issued_card(card=ACCEPTED.card, client=CLIENT)])
    with pytest.raises(RequestInvalid, match=r"feedback\[1\]\.card"):
        stores.feedback.store([ACCEPTED, OVERRIDDEN], RECEIVED, "cytopenia-review", CLIENT)
    assert list(stores.feedback.export()) == []
    stores.feedback.store([ACCEPTED], RECEIVED, "cytopenia-review", CLIENT)
    assert len(list(stores.feedback.export())) == 1
    stores.database.close()


def test_an_entry_that_can_not_be_stored_takes_the_whole_report_with_it(
    store: SqlFeedbackStore, database: Database
) -> None:
    refuse_the_last(database)
    with pytest.raises(StoreUnavailable):
        store.store([ACCEPTED, OVERRIDDEN, replace(ACCEPTED, card="last")], RECEIVED, "cytopenia-review")
    assert list(store.export()) == []


def test_a_locked_database_is_said_and_nothing_is_kept(url: str, store: SqlFeedbackStore, database: Database) -> None:
    impatient = SqlFeedbackStore(Database(url, wait_ms=50))
    with database.writing() as locker:
        if locker.dialect.name == "postgresql":
            locker.execute(text("LOCK TABLE feedback IN SHARE MODE"))
        with pytest.raises(StoreUnavailable) as refused:
            impatient.store([ACCEPTED], RECEIVED, "cytopenia-review")
        assert "send it again" in refused.value.message
        assert ACCEPTED.card not in refused.value.message
        assert list(store.export()) == [], "readers are not held up by a writer"
    impatient.store([ACCEPTED], RECEIVED, "cytopenia-review")
    assert len(list(store.export())) == 1


def test_a_file_that_vanished_is_said_and_not_made_anew_empty(sqlite_file: Path, sqlite_url: str) -> None:
    store = open_stores(sqlite_url).feedback
    store.store([ACCEPTED], RECEIVED, "cytopenia-review")
    sqlite_file.unlink()
    with pytest.raises(StoreUnavailable):
        store.store([OVERRIDDEN], RECEIVED, "cytopenia-review")
    with pytest.raises(StoreUnavailable):
        list(store.export())
    assert not sqlite_file.exists()


def test_a_server_that_is_gone_is_said_and_used_again_when_it_is_back(postgresql: PostgresServer) -> None:
    url = postgresql.create_database()
    migrate(url)
    stores = open_stores(url)
    stores.feedback.store([ACCEPTED], RECEIVED, "cytopenia-review")
    postgresql.stop("immediate")
    try:
        assert not stores.database.answers()
        with pytest.raises(StoreUnavailable):
            stores.feedback.store([OVERRIDDEN], RECEIVED, "cytopenia-review")
        with pytest.raises(StoreUnavailable):
            list(stores.feedback.export())
    finally:
        postgresql.start()
    assert stores.database.answers()
    stores.feedback.store([OVERRIDDEN], RECEIVED, "cytopenia-review")
    assert [told["card"] for told in stores.feedback.export()] == [ACCEPTED.card, OVERRIDDEN.card]
    stores.database.close()


def test_a_full_disk_is_said_and_nothing_is_kept(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    roomy = open_stores(sqlite_url).feedback
    with Database(sqlite_url).reading() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
    prepare = engines._prepare

    def no_room(synchronous: str, connection: sqlite3.Connection, record: object) -> None:
        prepare(synchronous, connection, record)  # type: ignore[arg-type]
        connection.execute(f"PRAGMA max_page_count={pages}")

    monkeypatch.setattr(engines, "_prepare", no_room)
    full = open_stores(sqlite_url).feedback
    with pytest.raises(StoreUnavailable):
        full.store([replace(ACCEPTED, card=str(n), user_comment="x" * 5000) for n in range(50)], RECEIVED, "s")
    assert list(roomy.export()) == []


def test_a_file_that_is_no_database_is_said(sqlite_file: Path, sqlite_url: str) -> None:
    store = open_stores(sqlite_url).feedback
    sqlite_file.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable):
        store.store([ACCEPTED], RECEIVED, "cytopenia-review")
    with pytest.raises(StoreUnavailable):
        migrate(sqlite_url)


def refuse_the_last(database: Database) -> None:
    """The database's own refusal, at the last row."""
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE feedback ADD CHECK (card <> 'last')"))
        else:
            refusal = "BEFORE INSERT ON feedback WHEN NEW.card = 'last' BEGIN SELECT RAISE(ABORT, 'x'); END"
            connection.execute(text(f"CREATE TRIGGER refuse {refusal}"))


def test_what_is_news_is_told_and_nothing_else(stores: Stores) -> None:
    knowing = SqlFeedbackStore(stores.database, "mark")
    SqlIssuedCards(stores.database).record([issued_card(card=ACCEPTED.card), issued_card(card=OVERRIDDEN.card)])
    assert knowing.store([ACCEPTED, ACCEPTED], RECEIVED, "cytopenia-review") == [ACCEPTED]
    assert knowing.store([ACCEPTED, OVERRIDDEN], RECEIVED, "cytopenia-review") == [OVERRIDDEN]
    foreign = replace(ACCEPTED, card="2c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a13")
    assert knowing.store([foreign], RECEIVED, "cytopenia-review") == []
    assert knowing.store([], RECEIVED, "cytopenia-review") == ()
    many = [replace(ACCEPTED, card=str(number)) for number in range(3000)]
    assert SqlFeedbackStore(stores.database).store(many, RECEIVED, "cytopenia-review") == many
