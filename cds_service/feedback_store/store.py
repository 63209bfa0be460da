"""Feedback, kept: all entries of a report or none, the same report once. Knows no HTTP; logs nothing of its content."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.feedback_store.database import open_database
from cds_service.feedback_store.tables import FeedbackRow

_ROWS_AT_ONCE = 500
_TABLE = FeedbackRow.metadata.tables["feedback"]


class SqlFeedbackStore:
    """Feedback in a database that `migrate` has made; used by several threads and processes at once."""

    def __init__(self, database_url: str) -> None:
        """Raises ValueError for a URL that can't be used; opens nothing yet."""
        self._engine = open_database(database_url)

    def store(
        self,
        entries: Sequence[FeedbackEntry],
        received_at: datetime,
        service_id: str,
        client: CdsClient = ANYONE,  # noqa: ARG002 - kept with the row by the next schema
    ) -> None:
        """Store all entries or none; they are on disk when this returns. An entry already there is left as it is.

        Raises:
            StoreUnavailable: nothing was stored (locked, gone, full, read-only).
        """
        rows = [_row(entry, received_at, service_id) for entry in entries]
        if not rows:
            return
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        once = dialect.insert(_TABLE).on_conflict_do_nothing(index_elements=["digest"])
        try:
            with self._engine.begin() as connection:
                connection.execute(once, rows)
        except SQLAlchemyError:
            raise StoreUnavailable(
                "The feedback could not be stored just now; nothing was kept, send it again."
            ) from None

    def export(self) -> Iterator[dict[str, object]]:
        """All feedback in the order it came, one object an entry, members named as on the wire.

        Members without a value are left out. Rows are read as they are asked for, not all at once.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        try:
            with self._engine.connect().execution_options(yield_per=_ROWS_AT_ONCE) as connection:
                for row in connection.execute(select(_TABLE).order_by(_TABLE.c.id)):
                    yield _exported(row)
        except SQLAlchemyError:
            raise StoreUnavailable("The feedback could not be read; check CDS_DATABASE_URL.") from None

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def _row(entry: FeedbackEntry, received_at: datetime, service_id: str) -> dict[str, object]:
    reason = entry.override_reason
    row: dict[str, object] = {
        "service": service_id,
        "card": entry.card,
        "outcome": entry.outcome,
        "outcome_timestamp": entry.outcome_timestamp,
        "accepted_suggestions": list(entry.accepted_suggestions),
        "reason_code": reason.code if reason else None,
        "reason_system": reason.system if reason else None,
        "reason_display": reason.display if reason else None,
        "user_comment": entry.user_comment,
    }
    return row | {"digest": _digest(row, entry.outcome_timestamp), "received_at": received_at}


def _digest(row: Mapping[str, object], outcome_timestamp: datetime) -> str:
    """What makes two reports the same: all that was reported, the time as an instant."""
    told = {**row, "outcome_timestamp": outcome_timestamp.astimezone(UTC).isoformat()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _exported(row: Row[tuple[object, ...]]) -> dict[str, object]:
    told = row._mapping
    reason = {"code": told["reason_code"], "system": told["reason_system"], "display": told["reason_display"]}
    override = {"reason": _without_nothing(reason), "userComment": told["user_comment"]}
    return _without_nothing(
        {
            "card": told["card"],
            "outcome": told["outcome"],
            "outcomeTimestamp": _instant(told["outcome_timestamp"]),
            "acceptedSuggestions": [{"id": suggestion} for suggestion in told["accepted_suggestions"]],
            "overrideReason": _without_nothing(override),
            "service": told["service"],
            "receivedAt": _instant(told["received_at"]),
        }
    )


def _without_nothing(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
