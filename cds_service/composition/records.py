"""The records as the settings want them: opened, brought to this version, kept of each call."""

from collections.abc import Callable

from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.audit.recording import record_calls_in
from cds_service.composition.site import pseudonym_key
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord


def open_records(settings: Settings) -> Stores:
    """The records; an embedded database is made or migrated first, another one only with CDS_MIGRATE=auto.

    Raises:
        ValueError: the database's URL can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
    """
    url = settings.database_url.get_secret_value()
    stores = open_stores(url, settings.foreign_feedback if settings.memory else "unknown")
    if url.startswith("sqlite") or settings.migrate == "auto":
        migrate(url)
    return stores


def audit(settings: Settings, records: Stores) -> Callable[[CallRecord], None]:
    """What keeps an entry of each call about a patient."""
    if not settings.audit:
        return lambda _: None
    return record_calls_in(records.audit_trail.append, AuditPseudonyms(pseudonym_key(settings)))
