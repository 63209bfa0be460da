"""What must not change what is read: order, repeats, other resources, another unit, another zone."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.hematology.clinical_picture import ClinicalPicture
from tests.builders.fhir import (
    AS_OF,
    BLASTS,
    CLUMPS,
    PLT,
    WBC,
    concept,
    observation,
    quantity,
    read,
    resource,
)


def as_set(picture: ClinicalPicture) -> list[Any]:
    """A picture without the order of its parts."""
    fields = (getattr(picture, field.name) for field in dataclasses.fields(picture))
    return [sorted(map(repr, part)) if isinstance(part, tuple) else repr(part) for part in fields]


UNITS = {"10*3/uL": "1", "10*9/L": "1", "/uL": "1000", "10*4/uL": "0.1"}
STATUSES = st.sampled_from(["final", "amended", "preliminary", "unknown", "entered-in-error"])


@st.composite
def results(draw: st.DrawFn) -> dict[str, Any]:
    moment = AS_OF - timedelta(minutes=draw(st.integers(0, 500_000)))
    written = moment.isoformat() if draw(st.booleans()) else moment.date().isoformat()
    amount = draw(st.decimals(0, 600, places=1))
    return observation(
        draw(st.sampled_from([WBC, PLT, CLUMPS, BLASTS])),
        quantity(amount, draw(st.sampled_from([*UNITS, "mg/dL", "?"]))),
        id=f"o{draw(st.integers(0, 10**9))}",
        status=draw(STATUSES),
        effectiveDateTime=written,
        subject={"reference": draw(st.sampled_from(["Patient/synthetic-1", "Patient/synthetic-1", "Patient/other"]))},
    )


def unlike(sent: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({one["id"]: one for one in sent}.values())


UNRELATED = [
    resource("Encounter", id="e1", status="finished"),
    resource("Procedure", id="p1", code=concept("1")),
    observation("8867-4", quantity(70, "/min"), id="pulse"),
    {"resourceType": "OperationOutcome", "issue": []},
    {"resourceType": "Practitioner", "id": "d1"},
]


@settings(max_examples=60, deadline=None)
@given(st.lists(results(), max_size=8), st.randoms(use_true_random=False))
def test_order_repeats_and_unrelated_resources_change_nothing(sent: list[dict[str, Any]], chance: Any) -> None:
    sent = unlike(sent)
    expected = as_set(read(*sent))
    shuffled = [*sent, *UNRELATED, *chance.sample(sent, len(sent) // 2)]
    chance.shuffle(shuffled)
    assert as_set(read(*shuffled)) == expected


@settings(max_examples=60, deadline=None)
@given(st.decimals("0.1", "90", places=3), st.sampled_from(sorted(UNITS)), st.sampled_from([WBC, PLT]))
def test_another_unit_is_the_same_value(amount: Decimal, unit: str, code: str) -> None:
    (plain,) = read(observation(code, quantity(amount, "10*9/L"))).counts
    (other,) = read(observation(code, quantity(amount * Decimal(UNITS[unit]), unit))).counts
    assert other.value == plain.value


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 6, 1)), st.integers(-12, 14))  # noqa: DTZ001
def test_another_time_zone_is_the_same_instant(moment: datetime, hours: int) -> None:
    here = moment.replace(tzinfo=UTC)
    sign = "-" if hours < 0 else "+"
    local = f"{(moment + timedelta(hours=hours)).isoformat()}{sign}{abs(hours):02}:00"
    (first,) = read(observation(effectiveDateTime=local)).counts
    assert first.collected.instant == here
    assert first.collected.reported == local
