"""What is deleted or forgotten on purpose, a little at a time, while calls are answered. Knows no settings.

Deleting in small transactions keeps each of them short: no call waits long for its turn.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Table, Update, delete, func, select, update

from cds_service.records.database import Database
from cds_service.records.tables import AuditRow, FeedbackRow, IssuedCardRow

Kind = Literal["feedback", "cards", "audit"]
KINDS: tuple[Kind, ...] = ("feedback", "cards", "audit")
_AT_ONCE = 500
_FEEDBACK, _CARDS, _AUDIT = (row.metadata.tables[row.__tablename__] for row in (FeedbackRow, IssuedCardRow, AuditRow))
_AGE: Mapping[Kind, ColumnElement[datetime]] = {
    "feedback": _FEEDBACK.c.received_at,
    "cards": _CARDS.c.issued_at,
    "audit": _AUDIT.c.recorded_at,
}
_TABLES: Mapping[Kind, Table] = {"feedback": _FEEDBACK, "cards": _CARDS, "audit": _AUDIT}


def count_older(database: Database, kind: Kind, before: datetime) -> int:
    """How many rows of this kind are older.

    Raises:
        StoreUnavailable: it can't be read.
    """
    counted = select(func.count()).select_from(_TABLES[kind]).where(_AGE[kind] < before)
    with database.reading() as connection:
        return connection.scalar(counted) or 0


def purge_older(database: Database, kind: Kind, before: datetime) -> Iterator[int]:
    """Delete the rows of this kind that are older; gives the number of each part once it is gone.

    Raises:
        StoreUnavailable: the parts told of are gone, the rest is there.
    """
    table = _TABLES[kind]
    old = select(table.c.id).where(_AGE[kind] < before).limit(_AT_ONCE)
    while True:
        with database.writing() as connection:
            gone = connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
        if not gone:
            return
        yield gone


def rows_by_key(database: Database) -> Mapping[str, int]:
    """How many rows name a patient by a hash, for each key (by its id).

    Raises:
        StoreUnavailable: it can't be read.
    """
    counts: dict[str, int] = {}
    with database.reading() as connection:
        for table in (_CARDS, _AUDIT):
            named = select(table.c.key_id, func.count()).where(_names_someone(table)).group_by(table.c.key_id)
            for key_id, number in connection.execute(named):
                counts[key_id] = counts.get(key_id, 0) + number
    return counts


def forget_keys(database: Database, kept: Collection[str]) -> Iterator[int]:
    """Forget whom the hashes of all other keys stand for; what was counted stays. Gives the number of each part.

    Of an issued card the basis goes, too: it holds hashes of results.

    Raises:
        StoreUnavailable: the parts told of are forgotten, the rest is not.
    """
    yield from _forget(database, _CARDS, _forget_cards(), kept)
    yield from _forget(database, _AUDIT, _forget_audit(), kept)


def _forget(database: Database, table: Table, forgotten: Update, kept: Collection[str]) -> Iterator[int]:
    """In the order of the ids, so that no row is looked at twice."""
    last = 0
    retired = select(table.c.id).where(_names_someone(table), table.c.key_id.not_in(kept)).order_by(table.c.id)
    while True:
        with database.writing() as connection:
            ids = connection.scalars(retired.where(table.c.id > last).limit(_AT_ONCE)).all()
            if not ids:
                return
            connection.execute(forgotten.where(table.c.id.in_(ids)))
        last = ids[-1]
        yield len(ids)


def _names_someone(table: Table) -> ColumnElement[bool]:
    return (func.coalesce(table.c.patient_hash, "") != "") | (func.coalesce(table.c.user_hash, "") != "")


def _forget_cards() -> Update:
    return update(_CARDS).values(patient_hash="", user_hash=None, basis={})


def _forget_audit() -> Update:
    return update(_AUDIT).values(patient_hash=None, user_hash=None)
