"""What must not change what is read: order, repeats, other resources, another unit, another zone, another release."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir_reading.releases import Release
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
from tests.builders.releases import as_release


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


ICD10CM, ATC = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.whocc.no/atc"
DAYS = st.integers(0, 400).map(lambda days: (AS_OF - timedelta(days=days)).date().isoformat())


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A condition or a medication, in R4's shape, of what every release can say."""
    named = f"r{draw(st.integers(0, 10**9))}"
    if draw(st.booleans()):
        clinical = draw(st.sampled_from(["active", "recurrence", "inactive", "remission", "resolved"]))
        verification = draw(st.sampled_from(["confirmed", "provisional", "refuted", "differential"]))
        return resource(
            "Condition",
            id=named,
            code=concept(draw(st.sampled_from(["C92.00", "K74.60", "I10"])), system=ICD10CM),
            clinicalStatus=concept(clinical),
            verificationStatus=concept(verification),
            onsetDateTime=draw(DAYS | st.none()),
            recordedDate=draw(DAYS | st.none()),
        )
    resource_type, dated = draw(st.sampled_from([*MEDICATIONS.items()]))
    statuses = ["active", "completed", "stopped", "on-hold", "entered-in-error", "in-progress", "not-taken", "not-done"]
    built = resource(
        resource_type,
        id=named,
        status=draw(st.sampled_from(statuses)),
        medicationCodeableConcept=concept(draw(st.sampled_from(["L01BA01", "N05AH02", "C10AA01"])), system=ATC),
    )
    intent = {"intent": draw(st.sampled_from(["order", "plan"]))} if resource_type == "MedicationRequest" else {}
    return built | intent | {dated: draw(DAYS)}


MEDICATIONS = {
    "MedicationRequest": "authoredOn",
    "MedicationStatement": "dateAsserted",
    "MedicationAdministration": "effectiveDateTime",
}


@settings(max_examples=100, deadline=None)
@given(st.lists(results() | records(), max_size=8), st.sampled_from(Release), st.sampled_from([None, *Release]))
def test_another_release_says_the_same(sent: list[dict[str, Any]], release: Release, site: Release | None) -> None:
    sent = unlike(sent)
    assert read(*(as_release(one, release) for one in sent), release=site) == read(*sent)
