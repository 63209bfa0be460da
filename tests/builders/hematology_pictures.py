"""Hypothesis strategies for pictures of one patient: any mixture of counts, times, bounds, specimens and records."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cds_service.hematology.clinical_picture import (
    Affects,
    CauseMatch,
    ClinicalPicture,
    Course,
    Downgrade,
    RecordedCondition,
    RecordedMedication,
    Use,
)
from cds_service.hematology.lab_results import (
    Analyte,
    ClumpingReport,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    Comparator,
    CountResult,
    SetAside,
    SetAsideReason,
)
from tests.builders.hematology import AS_OF, guideline

_TYPICAL = {
    Analyte.LEUKOCYTES: ["0.4", "0.9", "1.0", "2.5", "3.1", "3.99", "4.0", "4.1", "6.0", "12"],
    Analyte.PLATELETS: ["10", "24", "25", "60", "99", "100", "140", "149", "150", "151", "250"],
    Analyte.NEUTROPHILS: ["0.1", "0.49", "0.5", "0.99", "1.0", "1.6"],
}
SPECIMENS = st.sampled_from([None, None, None, "A", "B"])
ANALYTES = st.sampled_from(list(Analyte))


def at(hours_ago: int, *, timed: bool = True) -> CollectionTime:
    """A collection time some hours before `AS_OF`, in UTC."""
    instant = AS_OF - timedelta(hours=hours_ago)
    return CollectionTime(instant.isoformat(), instant.date(), instant if timed else None)


@st.composite
def collection_times(draw: st.DrawFn, most_days: int = 400) -> CollectionTime:
    """Any time of the last `most_days`, often of the last days, sometimes without a time."""
    hours = draw(st.one_of(st.integers(0, 24 * 40), st.integers(0, 24 * most_days)))
    return at(hours, timed=draw(st.sampled_from([True, True, True, False])))


DAYS = st.none() | st.integers(0, 400).map(lambda days: at(24 * days).day)


@st.composite
def counts(draw: st.DrawFn, analyte: Analyte | None = None) -> CountResult:
    """One count of any kind, its reference still to be given."""
    analyte = analyte or draw(ANALYTES)
    value = draw(st.sampled_from(_TYPICAL[analyte]))
    return CountResult(
        reference="",
        analyte=analyte,
        collected=draw(collection_times()),
        value=Decimal(value),
        reported_value=value,
        reported_unit="10*9/L",
        status=draw(st.sampled_from(["final", "final", "corrected", "amended"])),
        comparator=draw(st.sampled_from([Comparator.EXACT] * 8 + list(Comparator))),
        issued=draw(st.sampled_from([None, AS_OF, AS_OF - timedelta(days=1)])),
        specimen=draw(SPECIMENS),
        low_confidence=draw(st.sampled_from([False, False, False, True])),
        nrbc_corrected=draw(st.sampled_from([False, False, True])),
        clumped=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def distinct_counts(draw: st.DrawFn, analyte: Analyte, *, exact: bool = True) -> list[CountResult]:
    """Counts of one analyte, each an occasion of its own: no ties, no shared specimens, exact values."""
    days = draw(st.lists(st.integers(0, 400), unique=True, min_size=1, max_size=8))
    drawn = [draw(counts(analyte)) for _ in days]
    bound = Comparator.EXACT if exact else None
    return [
        replace(
            one, reference=f"Observation/{n}", collected=at(day * 24), specimen=None, comparator=bound or one.comparator
        )
        for n, (one, day) in enumerate(zip(drawn, days, strict=True))
    ]


@st.composite
def matches(draw: st.DrawFn) -> CauseMatch:
    """Any meaning a code may have."""
    return CauseMatch(
        group=draw(st.sampled_from([group.id for group in guideline().groups])),
        use=draw(st.sampled_from(list(Use))),
        course=draw(st.sampled_from(list(Course))),
        affects=draw(st.sampled_from(list(Affects))),
        system="urn:test",
        code="code",
        display="display",
        downgrade=draw(st.sampled_from([None, *Downgrade])),
    )


@st.composite
def conditions(draw: st.DrawFn) -> RecordedCondition:
    """A condition with any dates."""
    found = tuple(draw(st.lists(matches(), max_size=2)))
    return RecordedCondition("", "words", draw(DAYS), draw(DAYS), found)


@st.composite
def medications(draw: st.DrawFn) -> RecordedMedication:
    """A medication with any dates."""
    start, end = draw(DAYS), draw(DAYS)
    dates = tuple(day for day in (start, end) if day)
    found = tuple(draw(st.lists(matches(), max_size=2)))
    return RecordedMedication("", "words", start, end, draw(st.booleans()), dates, found)


@st.composite
def pictures(draw: st.DrawFn) -> ClinicalPicture:
    """Any picture; every record has a reference of its own."""
    blasts = st.builds(
        CompanionResult,
        st.just(""),
        st.just(CompanionKind.BLASTS),
        collection_times(60),
        st.just("as reported"),
        present=st.sampled_from([True, False, None]),
    )
    unread = st.builds(
        SetAside,
        st.just(""),
        ANALYTES,
        st.just(SetAsideReason.UNIT_MISSING),
        st.none() | collection_times(),
        unreadable=st.booleans(),
    )
    return ClinicalPicture(
        counts=_numbered("count", draw(st.lists(counts(), max_size=10))),
        companions=_numbered("blasts", draw(st.lists(blasts, max_size=2))),
        clumping=_numbered(
            "clumping",
            draw(st.lists(st.builds(ClumpingReport, st.just(""), collection_times(), SPECIMENS), max_size=2)),
        ),
        set_aside=_numbered("aside", draw(st.lists(unread, max_size=3))),
        conditions=_numbered("condition", draw(st.lists(conditions(), max_size=4))),
        medications=_numbered("medication", draw(st.lists(medications(), max_size=3))),
    )


def _numbered(kind: str, records: list[Any]) -> tuple[Any, ...]:
    return tuple(replace(record, reference=f"{kind}/{number}") for number, record in enumerate(records))
