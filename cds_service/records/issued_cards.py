"""Cards given to clients, kept. Knows no medicine: what a finding or a band means is its writer's."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from cds_service.cds_hooks.clients import CdsClient
from cds_service.records.database import Database
from cds_service.records.tables import IssuedCardRow
from cds_service.services.issued_card import IssuedCard

_TABLE = IssuedCardRow.metadata.tables["issued_cards"]
_APART = {"client", "patient", "user"}


class SqlIssuedCards:
    """Issued cards in a database that `migrate` has made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, cards: Sequence[IssuedCard]) -> None:
        """Keep them all or none; a card that is there already, of a retried call, stays as it is.

        Raises:
            StoreUnavailable: none was kept.
        """
        if cards:
            with self._database.writing() as connection:
                insert = self._database.insert_new(_TABLE, "card", "issuer", "tenant")
                connection.execute(insert, [_row(card) for card in cards])


def issued_to(connection: Connection, client: CdsClient, cards: Iterable[str]) -> set[str]:
    """Which of these cards were issued to this client."""
    theirs = (_TABLE.c.issuer == (client.issuer or ""), _TABLE.c.tenant == (client.tenant or ""))
    return set(connection.scalars(select(_TABLE.c.card).where(_TABLE.c.card.in_(set(cards)), *theirs)))


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
