"""Cards given to clients, kept. Knows no medicine: what a finding or a band means is its writer's."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, select

from cds_service.cds_hooks.clients import CdsClient
from cds_service.records.database import Database
from cds_service.records.kept_rows import Keep, KeptRow, RowWriter
from cds_service.records.tables import FEEDBACK, ISSUED_CARDS
from cds_service.services.issued_card import AnsweredCard, IssuedCard, Pseudonym, Recollection

_APART = {"client", "patient", "user"}
_PLAIN = {field.name for field in fields(IssuedCard)} - _APART - {"suggestions"}
_REPORTED = ("outcome", "outcome_timestamp", "received_at", "reason_system", "reason_code", "accepted_suggestions")
_REPORTS_AT_MOST = 1000
_THEIRS = (ISSUED_CARDS.c.issuer == bindparam("of_issuer"), ISSUED_CARDS.c.tenant == bindparam("of_tenant"))
_SAME_CARD = select(ISSUED_CARDS).where(*_THEIRS, ISSUED_CARDS.c.card == bindparam("of_card"))
_ITS_REPORT = and_(*(ISSUED_CARDS.c[name] == FEEDBACK.c[name] for name in ("card", "issuer", "tenant")))
_OF_PATIENT = and_(
    *_THEIRS, ISSUED_CARDS.c.patient_hash == bindparam("of_patient"), ISSUED_CARDS.c.service == bindparam("of_service"),
    ISSUED_CARDS.c.shown,
)  # fmt: skip
_ANY_ANSWERED = select(ISSUED_CARDS.c.id).join(FEEDBACK, _ITS_REPORT).where(_OF_PATIENT)
_ANSWERED = (
    select(ISSUED_CARDS, FEEDBACK.c.id.label("report"), *(FEEDBACK.c[name] for name in _REPORTED))
    .join(FEEDBACK, _ITS_REPORT)
    .where(_OF_PATIENT, FEEDBACK.c.received_at > bindparam("since"))
    .order_by(FEEDBACK.c.id.desc())
    .limit(_REPORTS_AT_MOST)
)
"""The newest reports on cards that a patient's chart was shown with."""


class SqlIssuedCards:
    """Issued cards in a database that `migrate` has made; `keep` is how they get there."""

    def __init__(self, database: Database, keep: Keep | None = None) -> None:
        self._database = database
        self._keep = keep or RowWriter(database).write
        self._any_answered = database.existence(_ANY_ANSWERED)

    def recall(self, card: IssuedCard, since: datetime) -> Recollection:
        """What is remembered of this card's patient, client and service, with reports that came after `since`.

        Most often nobody has ever answered a card of the patient: then one look tells it.

        Raises:
            StoreUnavailable: it can't be told just now.
        """
        client = {"of_issuer": card.client.issuer or "", "of_tenant": card.client.tenant or ""}
        patient = client | {"of_patient": card.patient.hash, "of_service": card.service}
        if not self._any_answered(patient):
            return Recollection()
        rows = self._database.look_up(_ANSWERED, patient | {"since": since})
        again = self._database.look_up(_SAME_CARD, client | {"of_card": card.card})
        last_by_card = {row.card: _read_answered(row) for row in sorted(rows, key=_order)}
        return Recollection(_read(again[0]) if again else None, tuple(last_by_card.values()))

    def record(self, cards: Sequence[IssuedCard]) -> None:
        """Keep them all or none; a card that is there already, of a retried call, stays as it is.

        Raises:
            StoreUnavailable: none was kept.
        """
        if cards:
            self._keep([KeptRow("cards", _row(card)) for card in cards])


def issued_to(connection: Connection, client: CdsClient, cards: Iterable[str]) -> set[str]:
    """Which of these cards were issued to this client."""
    theirs = select(ISSUED_CARDS.c.card).where(ISSUED_CARDS.c.card.in_(set(cards)), *_of_client(client))
    return set(connection.scalars(theirs))


def _of_client(client: CdsClient) -> tuple[ColumnElement[bool], ...]:
    return (ISSUED_CARDS.c.issuer == (client.issuer or ""), ISSUED_CARDS.c.tenant == (client.tenant or ""))


def _order(row: Row[Any]) -> tuple[datetime, int]:
    """By when the clinician acted; of one moment, as the reports came."""
    return _acted(row), row.report


def _acted(row: Row[Any]) -> datetime:
    """When the clinician acted: a client's clock may be ahead, but nobody acts after the report."""
    acted: datetime = min(row.outcome_timestamp, row.received_at)
    return acted


def _read_answered(row: Row[Any]) -> AnsweredCard:
    reason = (row.reason_system, row.reason_code) if row.reason_code is not None else None
    return AnsweredCard(_read(row), row.outcome, _acted(row), reason, frozenset(row.accepted_suggestions))


def _read(row: Row[Any]) -> IssuedCard:
    told = {name: getattr(row, name) for name in _PLAIN}
    return IssuedCard(
        **told,
        suggestions=tuple(row.suggestions),
        client=CdsClient(row.issuer or None, row.tenant or None),
        patient=Pseudonym(row.key_id, row.patient_hash),
        user=Pseudonym(row.key_id, row.user_hash) if row.user_hash else None,
    )


def _row(card: IssuedCard) -> dict[str, object]:
    row = {name: value for name, value in vars(card).items() if name not in _APART}
    return row | {
        "suggestions": list(card.suggestions),
        "basis": dict(card.basis),
        "issuer": card.client.issuer or "",
        "tenant": card.client.tenant or "",
        "key_id": card.patient.key_id,
        "patient_hash": card.patient.hash,
        "user_hash": card.user.hash if card.user else None,
    }
