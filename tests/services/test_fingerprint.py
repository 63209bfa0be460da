"""Ids and times are made the fast way, and are what the standard library makes of them: kept cards are found again."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from cds_service.hematology.lab_results import CollectionTime
from cds_service.services.fingerprint import card_id, suggestion_id, written_times

NAMESPACE = UUID("5b1f2a53-6f0e-5d39-9b7a-0c6f3c1d8e42")
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day away from the ends of the calendar, which an offset would cross.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 (hypothesis adds it)
COLLECTED = st.builds(
    lambda moment, timed: CollectionTime("as reported", moment.date(), moment if timed else None),
    MOMENTS,
    st.booleans(),
)


@given(st.lists(COLLECTED, max_size=4))
def test_times_are_written_as_isoformat_writes_them(collected: list[CollectionTime]) -> None:
    assert written_times(collected) == [
        one.instant.astimezone(UTC).isoformat() if one.instant else one.day.isoformat() for one in collected
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("0123456789abcdef", min_size=32, max_size=32))
def test_ids_are_name_based_uuids(hook_instance: str, fingerprint: str) -> None:
    name = f"{hook_instance} {fingerprint}"
    assert card_id(hook_instance, fingerprint) == str(uuid5(NAMESPACE, name))
    assert suggestion_id(hook_instance, fingerprint, "repeat") == str(uuid5(NAMESPACE, f"{name} repeat"))
