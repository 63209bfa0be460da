"""The trail, or one patient's part of it, as AuditEvents, one a line (NDJSON). Streams: no trail is too long."""

from collections.abc import Callable, Sequence

from cds_service.audit.audit_events import audit_event
from cds_service.cds_hooks.response_json import encode_json
from cds_service.records.audit_trail import AuditTrail, Period
from cds_service.services.issued_card import Pseudonym

Write = Callable[[str], object]
_TOLD_EVERY = 10_000


def export_audit_trail(
    trail: AuditTrail, period: Period, patient: Sequence[Pseudonym] | None, write: Write, say: Write
) -> None:
    """Write the AuditEvents, and say how far it is.

    Args:
        trail: what to export.
        period: which part of it.
        patient: about whom, under each key that is known; about anyone where it is None. Entries written with a key
            that isn't known can't be searched, and their number is said.
        write: takes each line.
        say: takes what a person reads meanwhile.

    Raises:
        StoreUnavailable: the database can't be read.
    """
    written = 0
    for entry in trail.export(period, None if patient is None else [one.hash for one in patient]):
        write(encode_json(audit_event(entry)).decode() + "\n")
        written += 1
        if written % _TOLD_EVERY == 0:
            say(f"{written} entries so far\n")
    say(f"{written} {'entry' if written == 1 else 'entries'} exported.\n")
    others = trail.count_of_other_keys([one.key_id for one in patient], period) if patient else 0
    if others:
        say(
            f"{others} more in this period can't be searched: they were written with another CDS_PSEUDONYM_KEY, or "
            "with none set. Search again with that key.\n"
        )
