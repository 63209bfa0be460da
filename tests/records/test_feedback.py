"""Feedback is kept whole, once, on disk before it is acknowledged, and comes out as it was told."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry, FeedbackStore, ReasonCoding
from cds_service.records import database
from cds_service.records.database import Database
from cds_service.records.feedback import SqlFeedbackStore
from cds_service.records.migrate import migrate

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
    user_comment="Synthetic: bekannt 已知 \u0000 ; DROP TABLE feedback",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place whose name needs quoting in a URI."""
    return tmp_path / "feed back#.sqlite3"


@pytest.fixture
def url(file: Path) -> str:
    address = f"sqlite:///{file}"
    migrate(address)
    return address


@pytest.fixture
def store(url: str) -> Iterator[SqlFeedbackStore]:
    opened = Database(url)
    yield SqlFeedbackStore(opened)
    opened.close()


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


def test_an_entry_that_can_not_be_stored_takes_the_whole_report_with_it(url: str, store: SqlFeedbackStore) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute(
            "CREATE TRIGGER full BEFORE INSERT ON feedback WHEN NEW.card = 'last' BEGIN SELECT RAISE(ABORT, 'x'); END"
        )
    raw.close()
    with pytest.raises(StoreUnavailable):
        store.store([ACCEPTED, OVERRIDDEN, replace(ACCEPTED, card="last")], RECEIVED, "cytopenia-review")
    assert list(store.export()) == []


def test_a_locked_database_is_said_and_nothing_is_kept(url: str, store: SqlFeedbackStore) -> None:
    impatient = SqlFeedbackStore(Database(url, wait_ms=50))
    locker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable) as refused:
        impatient.store([ACCEPTED], RECEIVED, "cytopenia-review")
    assert "send it again" in refused.value.message
    assert ACCEPTED.card not in refused.value.message
    assert list(store.export()) == [], "readers are not held up by a writer"
    locker.execute("ROLLBACK")
    locker.close()
    impatient.store([ACCEPTED], RECEIVED, "cytopenia-review")
    assert len(list(store.export())) == 1


def test_a_database_that_vanished_is_said_and_not_made_anew_empty(file: Path, store: SqlFeedbackStore) -> None:
    store.store([ACCEPTED], RECEIVED, "cytopenia-review")
    file.unlink()
    with pytest.raises(StoreUnavailable):
        store.store([OVERRIDDEN], RECEIVED, "cytopenia-review")
    with pytest.raises(StoreUnavailable):
        list(store.export())
    assert not file.exists()


def test_a_full_disk_is_said_and_nothing_is_kept(
    url: str, store: SqlFeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(url).reading() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
    prepare = database._prepare

    def no_room(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)  # type: ignore[arg-type]
        connection.execute(f"PRAGMA max_page_count={pages}")

    monkeypatch.setattr(database, "_prepare", no_room)
    full = SqlFeedbackStore(Database(url))
    with pytest.raises(StoreUnavailable):
        full.store([replace(ACCEPTED, card=str(n), user_comment="x" * 5000) for n in range(50)], RECEIVED, "s")
    assert list(store.export()) == []


def test_a_file_that_is_no_database_is_said(file: Path, url: str, store: SqlFeedbackStore) -> None:
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable):
        store.store([ACCEPTED], RECEIVED, "cytopenia-review")
    with pytest.raises(StoreUnavailable):
        migrate(url)
