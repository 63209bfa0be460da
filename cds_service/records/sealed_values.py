"""Sealed values by name, until they expire. Knows neither what is in them nor the key that opens them."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from cds_service.records.database import Database
from cds_service.records.tables import SEALED_VALUES

_PURGED_AT_ONCE = 100


class SealedValues:
    """Sealed values in a database that `migrate` has made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, name: str, sealed: bytes, expires_at: datetime, now: datetime) -> None:
        """Keep a value in place of any of this name, and let go of some that have expired.

        Raises:
            StoreUnavailable: it isn't kept.
        """
        with self._database.writing() as connection:
            expired = select(SEALED_VALUES.c.name).where(SEALED_VALUES.c.expires_at < now).limit(_PURGED_AT_ONCE)
            old = connection.scalars(expired).all()
            connection.execute(delete(SEALED_VALUES).where(SEALED_VALUES.c.name.in_([*old, name])))
            connection.execute(insert(SEALED_VALUES).values(name=name, sealed=sealed, expires_at=expires_at))

    def find(self, name: str, now: datetime) -> bytes | None:
        """The value, None where there is none, or no more.

        Raises:
            StoreUnavailable: it can't be read.
        """
        wanted = select(SEALED_VALUES.c.sealed).where(SEALED_VALUES.c.name == name, SEALED_VALUES.c.expires_at > now)
        with self._database.reading() as connection:
            return connection.scalar(wanted)

    def take(self, name: str, now: datetime) -> bytes | None:
        """The value, once: of several takers, by whichever process, one gets it.

        Raises:
            StoreUnavailable: it can't be told; nobody has it.
        """
        taken = (
            delete(SEALED_VALUES)
            .where(SEALED_VALUES.c.name == name)
            .returning(SEALED_VALUES.c.sealed, SEALED_VALUES.c.expires_at)
        )
        with self._database.writing() as connection:
            row = connection.execute(taken).first()
        return None if row is None or row.expires_at <= now else bytes(row.sealed)
