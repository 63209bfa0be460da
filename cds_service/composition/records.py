"""The records as the settings want them: opened, brought to this version, kept of each call."""

from collections.abc import Callable

from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.audit.recording import record_calls_in
from cds_service.composition.options import pseudonym_key
from cds_service.records.kept_rows import BOTH, Fate, Kind
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord, log_lost_rows

CountRows = Callable[[Fate, Kind, int], None]
"""Hears of cards given and audit entries: how many of a kind were taken, written, lost."""


def open_records(settings: Settings, count_rows: CountRows = lambda *_: None) -> Stores:
    """The records; an embedded database is made or migrated first, another one only with CDS_MIGRATE=auto.

    `count_rows` is told what becomes of cards given and audit entries.

    Raises:
        ValueError: the database's URL can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    url = settings.database_url.get_secret_value()

    def tell(fate: Fate, kind: Kind, number: int) -> None:
        log_lost_rows(fate, kind, number)
        count_rows(fate, kind, number)

    foreign = settings.foreign_feedback if settings.memory else "unknown"
    stores = open_stores(url, foreign, BOTH if settings.records_writes == "behind" else (), tell)
    if url.startswith("sqlite") or settings.migrate == "auto":
        migrate(url)
    return stores


def audit(settings: Settings, records: Stores) -> Callable[[CallRecord], None]:
    """What keeps an entry of each call about a patient."""
    if not settings.audit:
        return lambda _: None
    return record_calls_in(records.audit_trail.append, AuditPseudonyms(pseudonym_key(settings)))
