"""Whether there is anything to be found: a question that most calls ask, and that most often is answered by no.

It is asked of the driver itself. Composing and reading a statement's result in SQLAlchemy costs a call several times
what the question does; its dialects and its pool are used all the same.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, Select


class Existence:
    """Whether a statement, whose parameters are all texts, finds a row."""

    def __init__(self, reader: Engine, wanted: Select[Any]) -> None:
        """Compile it once; nothing is opened.

        Args:
            reader: opened by `open_reader`.
            wanted: selects anything, once is enough.
        """
        compiled = wanted.compile(reader, compile_kwargs={"render_postcompile": True})
        self._reader = reader
        self._sql = str(compiled)
        self._order = compiled.positiontup

    def __call__(self, told: Mapping[str, str]) -> bool:
        """Whether there may be such a row: also where the database fails, which who asks for the row will hear."""
        try:
            connection = self._reader.raw_connection()
        except Exception:  # what a driver raises is known to the driver only
            return True
        try:
            cursor = connection.cursor()
            cursor.execute(self._sql, told if self._order is None else [told[name] for name in self._order])
            found = cursor.fetchone() is not None
            cursor.close()
        except Exception:  # as above
            connection.invalidate()
            return True
        connection.close()
        return found
