"""What is old goes, what is not stays; a retired key's hashes are forgotten, and nothing that was counted."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.audit_trail import AuditEntry
from cds_service.records.housekeeping import KINDS, Kind, Named, count_older, forget_keys, purge_older, rows_by_key
from cds_service.records.stores import Stores
from cds_service.records.tables import ISSUED_CARDS
from cds_service.services.issued_card import Pseudonym
from tests.builders.records import issued_card

WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
OLDER = WHEN - timedelta(microseconds=1)
MANY = 1203


def _fill(stores: Stores, at: datetime, number: int) -> None:
    names = [f"{at.isoformat()} {n}"[-36:] for n in range(number)]
    stores.feedback.store([FeedbackEntry(name, "overridden", WHEN) for name in names], at, "s")
    stores.issued_cards.record([issued_card(card=name, issued_at=at) for name in names])
    stores.audit_trail.append(AuditEntry(at, 200))


def _counts(stores: Stores) -> dict[Kind, int]:
    return {kind: count_older(stores.database, kind, WHEN + timedelta(days=1)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_older_goes_and_nothing_else(stores: Stores, kind: Kind) -> None:
    _fill(stores, OLDER, MANY)
    _fill(stores, WHEN, 2)
    before = _counts(stores)
    old = count_older(stores.database, kind, WHEN)
    parts = list(purge_older(stores.database, kind, WHEN))
    assert sum(parts) == old == before[kind] - (1 if kind == "audit" else 2)
    assert max(parts) <= 500, "each transaction is short"
    assert _counts(stores) == before | {kind: before[kind] - old}
    assert list(purge_older(stores.database, kind, WHEN)) == []


def test_a_retired_keys_hashes_are_forgotten_and_the_rest_of_the_row_is_kept(stores: Stores) -> None:
    for key in ("retired", "previous", "present"):
        card = issued_card(
            card=key, patient=Pseudonym(key, "p"), user=Pseudonym(key, "u"), basis={"results": {"leukocytes": "mark"}}
        )
        stores.issued_cards.record([card])
        stores.audit_trail.append(AuditEntry(WHEN, 200, key_id=key, patient_hash="p", user_hash="u"))
    stores.audit_trail.append(AuditEntry(WHEN, 401))
    kinds: tuple[Named, ...] = ("cards", "audit")
    for kind in kinds:
        assert rows_by_key(stores.database, kind) == {"retired": 1, "previous": 1, "present": 1}
        assert sum(forget_keys(stores.database, kind, {"previous", "present"})) == 1
        assert rows_by_key(stores.database, kind) == {"previous": 1, "present": 1}
    table = ISSUED_CARDS
    with stores.database.reading() as connection:
        rows = {row.card: row for row in connection.execute(select(table))}
    forgotten, kept = rows["retired"], rows["present"]
    assert (forgotten.patient_hash, forgotten.user_hash, forgotten.basis) == ("", None, {})
    assert (kept.patient_hash, kept.user_hash, kept.basis) == ("p", "u", {"results": {"leukocytes": "mark"}})
    assert (forgotten.finding, forgotten.fingerprint) == (kept.finding, kept.fingerprint)
    trail = [(entry.key_id, entry.patient_hash, entry.user_hash) for entry in stores.audit_trail.export()]
    assert trail == [("retired", None, None), ("previous", "p", "u"), ("present", "p", "u"), (None, None, None)]
    assert list(forget_keys(stores.database, "audit", {"previous", "present"})) == []


def test_many_rows_are_forgotten_a_part_at_a_time(stores: Stores) -> None:
    _fill(stores, WHEN, MANY)
    parts = list(forget_keys(stores.database, "cards", set()))
    assert sum(parts) == MANY
    assert max(parts) <= 500
