"""Feedback, kept: all entries of a report or none, the same report once. Knows no HTTP; logs nothing of its content."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, and_, exists, func, select
from sqlalchemy.engine import Row

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.database import Database
from cds_service.records.issued_cards import issued_to
from cds_service.records.tables import FEEDBACK, ISSUED_CARDS

ForeignCards = Literal["mark", "refuse", "unknown"]
"""What becomes of feedback for a card that was never issued to the client; `unknown` where issued cards aren't kept."""
_ROWS_AT_ONCE = 500
_ITS_CARD = and_(*(ISSUED_CARDS.c[name] == FEEDBACK.c[name] for name in ("card", "issuer", "tenant")))
_EXPORTED = select(FEEDBACK, exists().where(FEEDBACK.c.foreign_card, _ITS_CARD).label("came_first"))
"""All feedback; `came_first`: another process gave the card, and wrote it when this report of it was kept already."""


class SqlFeedbackStore:
    """Feedback in a database that `migrate` has made; used by several threads and processes at once."""

    def __init__(
        self,
        database: Database,
        foreign_cards: ForeignCards = "unknown",
        write_cards: Callable[[], object] = lambda: None,
    ) -> None:
        """Take the database; `write_cards` has those written that this process has given and not written yet."""
        self._database = database
        self._foreign_cards = foreign_cards
        self._write_cards = write_cards

    def store(
        self, entries: Sequence[FeedbackEntry], received_at: datetime, service_id: str, client: CdsClient = ANYONE
    ) -> Sequence[FeedbackEntry]:
        """Store all entries or none; they are on disk when this returns. An entry already there is left as it is.

        Returns:
            Those that weren't there, and whose card isn't known to be foreign.

        Raises:
            StoreUnavailable: nothing was stored (locked, gone, full, read-only).
            RequestInvalid: nothing was stored, since a card wasn't issued to this client and the site refuses that.
        """
        if not entries:
            return ()
        if self._foreign_cards != "unknown":
            self._write_cards()
        with self._database.writing() as connection:
            foreign = self._foreign(connection, entries, client)
            rows = [_row(entry, received_at, service_id, client, foreign) for entry in entries]
            insert = self._database.insert_new(FEEDBACK, "digest").returning(FEEDBACK.c.digest)
            stored = set(connection.scalars(insert, rows))
        told = {row["digest"]: entry for row, entry in zip(rows, entries, strict=True) if not row["foreign_card"]}
        return [entry for digest, entry in told.items() if digest in stored]

    def _foreign(
        self, connection: Connection, entries: Sequence[FeedbackEntry], client: CdsClient
    ) -> Collection[str] | None:
        """Which cards were never issued to this client; None where that can't be known."""
        if self._foreign_cards == "unknown":
            return None
        cards = [entry.card for entry in entries]
        foreign = set(cards) - issued_to(connection, client, cards)
        if foreign and self._foreign_cards == "refuse":
            first = next(number for number, card in enumerate(cards) if card in foreign)
            raise RequestInvalid(f"'feedback[{first}].card' is no card that was issued to this client.")
        return foreign

    def count(self) -> int:
        """How many rows `export` would give now.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(FEEDBACK)) or 0

    def export(self) -> Iterator[dict[str, object]]:
        """All feedback in the order it came, one object an entry, members named as on the wire.

        Members without a value are left out. Rows are read as they are asked for, not all at once.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            for row in streamed.execute(_EXPORTED.order_by(FEEDBACK.c.id)):
                yield _exported(row)


def _row(
    entry: FeedbackEntry, received_at: datetime, service_id: str, client: CdsClient, foreign: Collection[str] | None
) -> dict[str, object]:
    reason = entry.override_reason
    told: dict[str, object] = {
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
    return told | {
        "digest": _digest(told, entry.outcome_timestamp, client),
        "received_at": received_at,
        "issuer": client.issuer or "",
        "tenant": client.tenant or "",
        "foreign_card": None if foreign is None else entry.card in foreign,
    }


def _digest(told: Mapping[str, object], outcome_timestamp: datetime, client: CdsClient) -> str:
    """What makes two reports the same: the client, and all that it reported, the time as an instant."""
    same: dict[str, object] = {**told, "outcome_timestamp": outcome_timestamp.astimezone(UTC).isoformat()}
    if client != ANYONE:  # a report of nobody known has the digest that it had before clients were known
        same |= {"issuer": client.issuer, "tenant": client.tenant}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


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
            "client": told["issuer"] or None,
            "tenant": told["tenant"] or None,
            "foreignCard": told["foreign_card"] and not told["came_first"],
        }
    )


def _without_nothing(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
