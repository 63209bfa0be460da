"""Fixtures move in time as a whole: dates by days, nothing else."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.sandbox.date_shift import shift_dates

SHIFTED = [
    ({"birthDate": "1971-12-31"}, {"birthDate": "1972-01-01"}),
    ({"effectiveDateTime": "2026-02-28T23:30:00+14:00"}, {"effectiveDateTime": "2026-03-01T23:30:00+14:00"}),
    ({"issued": "2024-02-28T10:00:00.123Z"}, {"issued": "2024-02-29T10:00:00.123Z"}),
    (
        {"effectivePeriod": {"start": "2026-01-01", "end": "2026"}},
        {"effectivePeriod": {"start": "2026-01-02", "end": "2026"}},
    ),
    ({"timing": {"event": ["2026-01-01", "2026-01"]}}, {"timing": {"event": ["2026-01-02", "2026-01"]}}),
    ({"identifier": [{"value": "2026-01-01"}]}, {"identifier": [{"value": "2026-01-01"}]}),
    ({"valueString": "seen 2026-01-01"}, {"valueString": "seen 2026-01-01"}),
    ({"code": {"coding": [{"version": "2026-01-01"}]}}, {"code": {"coding": [{"version": "2026-01-01"}]}}),
    ({"effectiveDateTime": "2026-02-30"}, {"effectiveDateTime": "2026-02-30"}),
    ({"effectiveDateTime": "9999-12-31"}, {"effectiveDateTime": "9999-12-31"}),
    ({"valueQuantity": {"value": 2.9}, "active": True}, {"valueQuantity": {"value": 2.9}, "active": True}),
]


@pytest.mark.parametrize(("before", "after"), SHIFTED)
def test_one_day_later(before: dict[str, object], after: dict[str, object]) -> None:
    assert shift_dates(before, 1) == after


DAYS = st.dates(date(1900, 1, 1), date(2200, 1, 1))
TIMES = st.sampled_from(["", "T08:00:00Z", "T23:59:59.999-12:00", "T00:00+05:30"])


@given(day=DAYS, time=TIMES, days=st.integers(-20000, 20000))
def test_every_date_moves_by_the_days_and_keeps_its_time(day: date, time: str, days: int) -> None:
    shifted = shift_dates({"effectiveDateTime": day.isoformat() + time}, days)["effectiveDateTime"]
    assert shifted == (day + timedelta(days=days)).isoformat() + time


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates().map(date.isoformat),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(resource=st.dictionaries(st.text(max_size=8), JSON, max_size=4), days=st.integers(-400, 400))
def test_anything_else_stays_and_zero_days_change_nothing(resource: dict[str, object], days: int) -> None:
    assert shift_dates(resource, 0) == resource
    assert set(shift_dates(resource, days)) == set(resource)
