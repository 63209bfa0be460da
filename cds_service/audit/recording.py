"""A finished call to an entry of the trail, kept before the answer is sent. Knows no database."""

from collections.abc import Callable, Mapping

from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.call_phases import Phase
from cds_service.records.audit_trail import AuditEntry
from cds_service.web.request_log import CallRecord


def record_calls_in(append: Callable[[AuditEntry], None], pseudonyms: AuditPseudonyms) -> Callable[[CallRecord], None]:
    """An observer that appends every call whose patient is known, whatever became of it.

    A trail that can't be written costs nobody the answer: the record says that its entry was lost, and so do the log
    and the metrics.
    """

    def observe(record: CallRecord) -> None:
        if record.about is None:
            return
        try:
            with Phase("auditing"):
                append(entry_of(record, pseudonyms))
        except Exception:  # whatever it is, a clinician waits
            record.audit = "lost"

    return observe


def entry_of(record: CallRecord, pseudonyms: AuditPseudonyms) -> AuditEntry:
    """The entry of one call: hashes for ids; verdicts, card ids and reasons, but no value and no text."""
    about, facts = record.about, record.facts
    return AuditEntry(
        recorded_at=record.received_at,
        status=record.status,
        client=record.client,
        service=record.service,
        hook_instance=record.hook_instance,
        key_id=pseudonyms.key_id,
        patient_hash=pseudonyms.patient(about.patient_id).hash if about else None,
        user_hash=pseudonyms.user(about.user_id).hash if about and about.user_id else None,
        answered=_answered(record),
        knowledge_version=facts.knowledge_version if facts else None,
    )


def _answered(record: CallRecord) -> Mapping[str, object]:
    facts = record.facts
    if facts is None:
        return {"refused": record.refused} if record.refused else {}
    told: dict[str, object] = {
        "verdicts": dict(facts.verdicts),
        "indicator": facts.indicator,
        "finding": facts.finding,
        "quietedBy": facts.quieted_by,
        "cards": list(facts.card_ids),
        "notAvailable": list(facts.not_available),
        "refused": record.refused,
    }
    return {name: value for name, value in told.items() if value not in (None, [], {})}
