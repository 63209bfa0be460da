"""All that is kept, opened together. Decides nothing."""

from dataclasses import dataclass

from cds_service.records.audit_trail import AuditTrail
from cds_service.records.database import Database
from cds_service.records.feedback import ForeignCards, SqlFeedbackStore
from cds_service.records.issued_cards import SqlIssuedCards
from cds_service.records.used_tokens import UsedTokens


@dataclass(frozen=True)
class Stores:
    """The records of one database."""

    database: Database
    feedback: SqlFeedbackStore
    issued_cards: SqlIssuedCards
    used_tokens: UsedTokens
    audit_trail: AuditTrail


def open_stores(url: str, foreign_cards: ForeignCards = "unknown") -> Stores:
    """Make ready; nothing is opened yet, so this may be done before a process forks.

    Raises:
        ValueError: the URL can't be used.
    """
    database = Database(url)
    return Stores(
        database=database,
        feedback=SqlFeedbackStore(database, foreign_cards),
        issued_cards=SqlIssuedCards(database),
        used_tokens=UsedTokens(database),
        audit_trail=AuditTrail(database),
    )
