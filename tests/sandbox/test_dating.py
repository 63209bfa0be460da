"""A sandbox that runs for days keeps its patients recent, and moves nothing else."""

from datetime import UTC, date, datetime, timedelta

from cds_service.sandbox.dating import Dating
from cds_service.sandbox.fhir_server.store import FhirStore

DAY = date(2026, 6, 1)


def test_results_move_with_the_calendar_and_later_ones_stay() -> None:
    today = DAY
    store = FhirStore(lambda: datetime(2026, 6, 1, tzinfo=UTC))
    store.put({"resourceType": "Observation", "id": "shipped", "effectiveDateTime": "2026-05-31T08:00:00Z"})
    store.put({"resourceType": "Condition", "id": "deleted", "recordedDate": "2026-05-31"})
    dating = Dating(store, DAY, lambda: today)
    store.delete("Condition", "deleted")
    store.put({"resourceType": "Observation", "id": "added", "effectiveDateTime": "2026-05-31"})
    dating.keep_up()
    assert store.read("Observation", "shipped")["effectiveDateTime"] == "2026-05-31T08:00:00Z"
    today = DAY + timedelta(days=3)
    dating.keep_up()
    dating.keep_up()
    assert store.read("Observation", "shipped")["effectiveDateTime"] == "2026-06-03T08:00:00Z"
    assert store.read("Observation", "added")["effectiveDateTime"] == "2026-05-31"
    assert store.find("Condition", "deleted") is None
