"""All that is kept, opened together. Decides nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.audit_trail import AuditTrail
from cds_service.records.database import Database
from cds_service.records.feedback import ForeignCards, SqlFeedbackStore
from cds_service.records.hurried_cards import HurriedCards
from cds_service.records.hurry import Hurry
from cds_service.records.issued_cards import SqlIssuedCards
from cds_service.records.kept_rows import Keeper, Kind, RowWriter, Tell
from cds_service.records.sealed_values import SealedValues
from cds_service.records.used_tokens import UsedTokens
from cds_service.services.issued_card import IssuedCards

MEMORY_SECONDS = 0.25
"""What a card waits for its memory at most, each time it asks; then it is given without."""
AUDIT_SECONDS = 0.5
"""What an answer waits for its entry of the trail at most."""
PROBE_SECONDS = 1.0


@dataclass(frozen=True)
class Stores:
    """The records of one database. Feedback is on the disk once it is stored; the rest survives a crash of the
    program, and what it holds of the last moments before a power cut nobody was promised.
    """

    database: Database
    quick: Database
    feedback: SqlFeedbackStore
    issued_cards: IssuedCards
    used_tokens: UsedTokens
    audit_trail: AuditTrail
    sealed_values: SealedValues
    keeper: Keeper
    probe: Hurry

    def answer(self) -> bool:
        """Whether the database can be written now; told within a second."""
        try:
            return self.probe(self.database.answers)
        except StoreUnavailable:
            return False

    def close(self) -> None:
        """Write what is waiting, and let go of all connections."""
        self.keeper.close()
        self.database.close()
        self.quick.close()


def open_stores(
    url: str,
    foreign_cards: ForeignCards = "unknown",
    behind: Collection[Kind] = (),
    tell: Tell = lambda *_: None,
) -> Stores:
    """Make ready; nothing is opened yet, so this may be done before a process forks.

    Args:
        url: CDS_DATABASE_URL.
        foreign_cards: what becomes of feedback for a card that wasn't issued to the client.
        behind: what is written behind the answers. Cards are not where feedback is refused for those that aren't
            there: a refusal can't be taken back.
        tell: hears what becomes of rows.

    Raises:
        ValueError: the URL can't be used.
    """
    database, quick = Database(url), Database(url, durable=False)
    memory, audit = Hurry(MEMORY_SECONDS), Hurry(AUDIT_SECONDS)
    keeper = Keeper(RowWriter(quick), set(behind) - ({"cards"} if foreign_cards == "refuse" else set()), tell)
    return Stores(
        database=database,
        quick=quick,
        feedback=SqlFeedbackStore(database, foreign_cards, keeper.flush),
        issued_cards=HurriedCards(SqlIssuedCards(quick, partial(keeper.keep, hurry=memory)), memory),
        used_tokens=UsedTokens(quick),
        audit_trail=AuditTrail(quick, partial(keeper.keep, hurry=audit)),
        sealed_values=SealedValues(quick),
        keeper=keeper,
        probe=Hurry(PROBE_SECONDS, rest_seconds=0),
    )
