"""The trail tells who was answered what, in the order it happened."""

from datetime import UTC, datetime, timedelta

from cds_service.cds_hooks.clients import CdsClient
from cds_service.records.audit_trail import AuditEntry, Period
from cds_service.records.stores import Stores

WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FULL = AuditEntry(
    recorded_at=WHEN + timedelta(minutes=1),
    status=200,
    client=CdsClient("https://ehr.example.org/fhir", "north"),
    service="cytopenia-review",
    hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    key_id="key-1",
    patient_hash="patient",
    user_hash="user",
    answered={"verdicts": {"leukopenia": "present"}, "cards": ["0f8fad5b-d9cb-469f-a165-70867728950e"]},
    knowledge_version="synthetic",
)
BARE = AuditEntry(recorded_at=WHEN, status=401)


def test_what_was_appended_comes_out_as_it_was(stores: Stores) -> None:
    for entry in (BARE, FULL, BARE):
        stores.audit_trail.append(entry)
    assert list(stores.audit_trail.export()) == [BARE, FULL, BARE]


def test_a_part_of_it_can_be_had(stores: Stores) -> None:
    for entry in (BARE, FULL):
        stores.audit_trail.append(entry)
    assert list(stores.audit_trail.export(Period(since=FULL.recorded_at))) == [FULL]
    assert list(stores.audit_trail.export(Period(since=WHEN + timedelta(days=1)))) == []
