"""Criteria 1, "When"."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_reading.dates import is_in_future, read_day, read_instant, read_span, read_time
from cds_service.hematology.lab_results import CollectionTime, SetAsideReason
from tests.builders.fhir import AS_OF, observation, outcome, read


def when(**elements: Any) -> dict[str, Any]:
    return observation(effectiveDateTime=None) | elements


@pytest.mark.parametrize(
    ("elements", "day", "instant", "from_issued"),
    [
        ({"effectiveDateTime": "2026-06-01"}, "2026-06-01", None, False),
        ({"effectiveDateTime": "2026-06-01T23:30"}, "2026-06-01", None, False),
        ({"effectiveDateTime": "2026-06-01T23:30:00.5"}, "2026-06-01", None, False),
        ({"effectiveDateTime": "2026-06-01T23:30:00-05:00"}, "2026-06-01", "2026-06-02T04:30:00", False),
        ({"effectiveDateTime": "2026-06-01T23:30Z"}, "2026-06-01", "2026-06-01T23:30:00", False),
        ({"effectiveDateTime": "2026-06-01T00:30:00+14:00"}, "2026-06-01", "2026-05-31T10:30:00", False),
        ({"effectiveDateTime": "2016-12-31T23:59:60Z"}, "2016-12-31", "2017-01-01T00:00:00", False),
        ({"effectiveDateTime": "2026-06-01T10:00:00.123456789Z"}, "2026-06-01", "2026-06-01T10:00:00.123456", False),
        ({"effectiveInstant": "2026-06-01T10:00:00Z"}, "2026-06-01", "2026-06-01T10:00:00", False),
        ({"effectivePeriod": {"start": "2026-06-01", "end": "2026-06-09"}}, "2026-06-01", None, False),
        ({"issued": "2026-06-01T10:00:00Z"}, "2026-06-01", "2026-06-01T10:00:00", True),
        ({"effectiveDateTime": "", "issued": "2026-06-01T10:00:00Z"}, "2026-06-01", "2026-06-01T10:00:00", True),
        ({"effectivePeriod": {}, "issued": "2026-06-01"}, "2026-06-01", None, True),
        ({"effectiveDateTime": "0001-01-01"}, "0001-01-01", None, False),
        ({"effectiveDateTime": "2026-06-16"}, "2026-06-16", None, False),
        ({"effectiveDateTime": "2026-06-16T12:00:00Z"}, "2026-06-16", "2026-06-16T12:00:00", False),
    ],
)
def test_when_it_was_collected(elements: dict[str, Any], day: str, instant: str | None, from_issued: bool) -> None:
    (result,) = read(when(**elements)).counts
    expected = datetime.fromisoformat(instant).replace(tzinfo=UTC) if instant else None
    assert result.collected.day == date.fromisoformat(day)
    assert (result.collected.instant, result.collected.from_issued) == (expected, from_issued)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, "date-missing"),
        ({"effectivePeriod": {"end": "2026-06-01"}}, "date-missing"),
        ({"effectivePeriod": {"end": "2026-06-01"}, "issued": "2026-06-01"}, "date-missing"),
        ({"effectiveTiming": {"event": ["2026-06-01"]}, "issued": "2026-06-01"}, "date-missing"),
        ({"effectiveDateTime": "2026"}, "date-imprecise"),
        ({"effectiveDateTime": "2026-06"}, "date-imprecise"),
        ({"effectiveDateTime": "2026", "issued": "2026-06-01"}, "date-imprecise"),
        ({"effectiveDateTime": "2026-02-30"}, "date-invalid"),
        ({"effectiveDateTime": "2026-13"}, "date-invalid"),
        ({"effectiveDateTime": "0000-01-01"}, "date-invalid"),
        ({"effectiveDateTime": "2026-06-01T24:00:00Z"}, "date-invalid"),
        ({"effectiveDateTime": "2026-06-01T10:00:00+14:01"}, "date-invalid"),
        ({"effectiveDateTime": "2026-06-01T10:00:00-10:75"}, "date-invalid"),
        ({"effectiveDateTime": "0001-01-01T00:00:00+14:00"}, "date-invalid"),
        ({"effectiveDateTime": "9999-12-31T23:59:60Z"}, "date-invalid"),
        ({"effectiveDateTime": "9999-12-31T23:59:59-14:00"}, "date-invalid"),
        ({"effectiveDateTime": "06/01/2026"}, "date-invalid"),
        ({"effectiveDateTime": "２０２６-06-01"}, "date-invalid"),
        ({"effectiveDateTime": 20260601}, "date-invalid"),
        ({"effectiveDateTime": {"start": "2026-06-01"}, "issued": "2026-06-01"}, "date-invalid"),
        ({"effectivePeriod": "2026-06-01", "issued": "2026-06-01"}, "date-invalid"),
        ({"effectivePeriod": {"start": "soon"}, "issued": "2026-06-01"}, "date-invalid"),
        ({"effectiveDateTime": "2026-06-17"}, "date-in-future"),
        ({"effectiveDateTime": "2026-06-16T12:00:01Z"}, "date-in-future"),
        ({"effectiveDateTime": "2150-01-01"}, "date-in-future"),
        ({"effectiveDateTime": "9999-12-31"}, "date-in-future"),
        ({"effectiveDateTime": "9999-12-31T00:00:00Z"}, "date-in-future"),
        ({"issued": "2150-01-01T00:00:00Z"}, "date-in-future"),
        ({"issued": "2026"}, "date-imprecise"),
        ({"issued": {}}, "date-missing"),
    ],
)
def test_what_has_no_usable_time_is_set_aside(elements: dict[str, Any], expected: str) -> None:
    assert outcome(read(when(**elements))) == expected


def test_the_first_rule_failed_gives_the_reason_and_the_date_is_told_where_it_is_readable() -> None:
    (aside,) = read(observation(value={"value": 3}, effectiveDateTime="2026-06-01")).set_aside
    assert (aside.reason, aside.unreadable) == (SetAsideReason.UNIT_MISSING, True)
    assert aside.collected == CollectionTime("2026-06-01", date(2026, 6, 1))
    (undated,) = read(observation(value={"value": 3}, effectiveDateTime="2026")).set_aside
    assert (undated.reason, undated.unreadable, undated.collected) == (SetAsideReason.UNIT_MISSING, False, None)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2026", ("2026-01-01", "2026-12-31")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2024-02-05T10:00:00Z", ("2024-02-05", "2024-02-05")),
        ("9999", ("9999-01-01", "9999-12-31")),
        ("2024-13", None),
        ("0000", None),
        (2024, None),
    ],
)
def test_partial_dates_are_spans_of_days(text: object, span: tuple[str, str] | None) -> None:
    assert read_span(text) == (span and (date.fromisoformat(span[0]), date.fromisoformat(span[1])))


def test_a_day_needs_a_day() -> None:
    assert read_day("2024-02-05") == date(2024, 2, 5)
    assert read_day("2024-02") is read_day("never") is None
    assert read_instant("2024-02-05") is read_instant(None) is read_instant("x") is None


def test_the_end_of_all_calendars_has_no_future() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    assert not is_in_future(CollectionTime("9999-12-31", date.max), end)


ZONES = st.sampled_from(["", "Z", "+00:00", "-00:00", "+14:00", "-14:00", "+05:45", "+23:59", "+99:99", "z"])
SHAPED = st.builds(
    lambda y, mo, d, t, z: f"{y:04}-{mo:02}-{d:02}T{t}{z}",
    st.integers(0, 9999),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(["00:00", "23:59:60", "24:00:00", "12:34:56.7890123456", "99:99:99", "23:59:59.999999999"]),
    ZONES,
)


@given(st.one_of(SHAPED, st.text(max_size=40), st.from_regex(r"[0-9]{4}(-[0-9]{2}){0,2}", fullmatch=True)))
def test_no_text_crashes_and_every_time_can_be_compared(text: str) -> None:
    time = read_time(text)
    if isinstance(time, SetAsideReason):
        assert time in (SetAsideReason.DATE_INVALID, SetAsideReason.DATE_IMPRECISE)
        return
    assert time.reported == text
    assert time.day.isoformat() == text[:10]
    is_in_future(time, AS_OF)
    if time.instant is not None:
        assert time.instant.utcoffset() is not None
        assert abs((time.instant.replace(tzinfo=None) - datetime.combine(time.day, datetime.min.time())).days) <= 1
        assert time.instant.astimezone(UTC) == time.instant


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_instant_is_the_same_in_every_zone(moment: datetime, minutes: int) -> None:
    sign, offset = "-" if minutes < 0 else "+", abs(minutes)
    local = (moment + timedelta(minutes=minutes)).isoformat()
    elsewhere = read_time(f"{local}{sign}{offset // 60:02}:{offset % 60:02}")
    here = read_time(f"{moment.isoformat()}Z")
    assert isinstance(elsewhere, CollectionTime)
    assert isinstance(here, CollectionTime)
    assert elsewhere.instant == here.instant
