"""Rows of what calls leave behind, cards given and entries of the trail, and how they are kept. Decides nothing.

Either behind the answer, together with those of other calls, or before it: then the call waits, but not for long.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

from sqlalchemy import insert

from cds_service.records.database import Database
from cds_service.records.hurry import Hurry
from cds_service.records.tables import AUDIT_TRAIL, ISSUED_CARDS
from cds_service.records.write_queue import CAPACITY, WriteQueue

Kind = Literal["cards", "audit"]
BOTH: Collection[Kind] = ("cards", "audit")
Fate = Literal["taken", "written", "lost", "lost-behind"]
Tell = Callable[[Fate, Kind, int], None]
"""Is told how many rows of a kind were taken, and what became of them: each is written or lost in the end.

A row lost behind its answer is one that nobody else is told of.
"""
FLUSH_SECONDS = 0.5


class KeptRow(NamedTuple):
    """One row: values by column."""

    kind: Kind
    values: Mapping[str, object]


Keep = Callable[[Sequence[KeptRow]], None]
"""Keeps rows, all or none. StoreUnavailable: they are lost."""


class RowWriter:
    """Writes rows of both kinds to a database that `migrate` has made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inserts = {
            "cards": database.insert_new(ISSUED_CARDS, "card", "issuer", "tenant"),
            "audit": insert(AUDIT_TRAIL),
        }

    def write(self, rows: Sequence[KeptRow]) -> None:
        """Keep them all or none; a card that is there already, of a retried call, stays as it is.

        Raises:
            StoreUnavailable: none was kept.
        """
        with self._database.writing() as connection:
            for kind, statement in self._inserts.items():
                if values := [row.values for row in rows if row.kind == kind]:
                    connection.execute(statement, values)


class Keeper:
    """Keeps rows: those of the kinds `behind` behind the answer, as long as there is room for them to wait."""

    def __init__(
        self,
        writer: RowWriter,
        behind: Collection[Kind] = (),
        tell: Tell = lambda *_: None,
        capacity: int = CAPACITY,
    ) -> None:
        self._writer = writer
        self._behind = frozenset(behind)
        self._tell = tell
        self._queue = WriteQueue(self._write, lambda rows: self._told("lost-behind", rows), capacity)

    def keep(self, rows: Sequence[KeptRow], hurry: Hurry) -> None:
        """Keep them, or see to it that they will be.

        Raises:
            StoreUnavailable: they are lost; or they were late where they had to be written at once, and may yet be.
        """
        self._told("taken", rows)
        if {row.kind for row in rows} <= self._behind and self._queue.put(rows):
            return
        try:
            hurry(lambda: self._writer.write(rows))
        except BaseException:
            self._told("lost", rows)
            raise
        self._told("written", rows)

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Have written what waits in this process; whether nothing does any more."""
        return self._queue.flush(seconds)

    def close(self) -> None:
        """Write what waits, within some seconds, and from now on all at once."""
        self._queue.close()

    def _write(self, rows: Sequence[KeptRow]) -> None:
        self._writer.write(rows)
        self._told("written", rows)

    def _told(self, fate: Fate, rows: Sequence[KeptRow]) -> None:
        for kind in BOTH:
            if number := len([row for row in rows if row.kind == kind]):
                with suppress(Exception):  # who counts must not cost a row
                    self._tell(fate, kind, number)
