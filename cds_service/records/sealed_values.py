"""Sealed values by name, until they expire. Knows neither what is in them nor the key that opens them."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from cds_service.records.database import Database
from cds_service.records.tables import SealedValueRow

_TABLE = SealedValueRow.metadata.tables["sealed_values"]
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
            expired = select(_TABLE.c.name).where(_TABLE.c.expires_at < now).limit(_PURGED_AT_ONCE)
            old = connection.scalars(expired).all()
            connection.execute(delete(_TABLE).where(_TABLE.c.name.in_([*old, name])))
            connection.execute(insert(_TABLE).values(name=name, sealed=sealed, expires_at=expires_at))

    def find(self, name: str, now: datetime) -> bytes | None:
        """The value, None where there is none, or no more.

        Raises:
            StoreUnavailable: it can't be read.
        """
        wanted = select(_TABLE.c.sealed).where(_TABLE.c.name == name, _TABLE.c.expires_at > now)
        with self._database.reading() as connection:
            return connection.scalar(wanted)

    def take(self, name: str, now: datetime) -> bytes | None:
        """The value, once: of several takers, by whichever process, one gets it.

        Raises:
            StoreUnavailable: it can't be told; nobody has it.
        """
        taken = delete(_TABLE).where(_TABLE.c.name == name).returning(_TABLE.c.sealed, _TABLE.c.expires_at)
        with self._database.writing() as connection:
            row = connection.execute(taken).first()
        return None if row is None or row.expires_at <= now else bytes(row.sealed)
