"""What is deleted or forgotten on purpose, a little at a time, while calls are answered. Knows no settings.

Deleting in small transactions keeps each of them short: no call waits long for its turn.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from cds_service.records.database import Database
from cds_service.records.tables import AUDIT_TRAIL, FEEDBACK, ISSUED_CARDS

Kind = Literal["feedback", "cards", "audit"]
Named = Literal["cards", "audit"]
KINDS: tuple[Kind, ...] = ("feedback", "cards", "audit")
_AT_ONCE = 500
_AGE: Mapping[Kind, ColumnElement[datetime]] = {
    "feedback": FEEDBACK.c.received_at,
    "cards": ISSUED_CARDS.c.issued_at,
    "audit": AUDIT_TRAIL.c.recorded_at,
}
_TABLES: Mapping[Kind, Table] = {"feedback": FEEDBACK, "cards": ISSUED_CARDS, "audit": AUDIT_TRAIL}
_FORGOTTEN: Mapping[Named, Mapping[str, object]] = {
    "cards": {"patient_hash": "", "user_hash": None, "basis": {}},
    "audit": {"patient_hash": None, "user_hash": None},
}


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


def rows_by_key(database: Database, kind: Named) -> Mapping[str, int]:
    """How many rows of this kind name a patient or a user by a hash, for each key (by its id).

    Raises:
        StoreUnavailable: it can't be read.
    """
    table = _TABLES[kind]
    counted = select(table.c.key_id, func.count().label("number")).where(_names_someone(table)).group_by(table.c.key_id)
    with database.reading() as connection:
        return {row.key_id: row.number for row in connection.execute(counted)}


def forget_keys(database: Database, kind: Named, kept: Collection[str]) -> Iterator[int]:
    """Forget whom the hashes of all keys but these stand for; what was counted stays. Gives the number of each part.

    Of an issued card the basis goes, too: it holds hashes of results.

    Raises:
        StoreUnavailable: the parts told of are forgotten, the rest is not.
    """
    table, last = _TABLES[kind], 0
    retired = select(table.c.id).where(_names_someone(table), table.c.key_id.not_in(kept)).order_by(table.c.id)
    while True:
        with database.writing() as connection:
            ids = connection.scalars(retired.where(table.c.id > last).limit(_AT_ONCE)).all()
            if not ids:
                return
            connection.execute(update(table).where(table.c.id.in_(ids)).values(_FORGOTTEN[kind]))
        last = ids[-1]
        yield len(ids)


def _names_someone(table: Table) -> ColumnElement[bool]:
    return (func.coalesce(table.c.patient_hash, "") != "") | (func.coalesce(table.c.user_hash, "") != "")
