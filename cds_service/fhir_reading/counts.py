"""Counts of leukocytes, platelets and neutrophils: usable, or set aside with the first rule failed.

Room: fhir_reading. Knows no threshold and judges nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from cds_service.fhir_reading.clump_text import ClumpWords
from cds_service.fhir_reading.codings import display_of
from cds_service.fhir_reading.dates import read_instant
from cds_service.fhir_reading.observations import Examined, ResultRules
from cds_service.fhir_reading.projection import Json, members, objects_in, text_at, texts_in
from cds_service.fhir_reading.quantities import Count, number, number_text
from cds_service.fhir_reading.specimens import specimen_key
from cds_service.fhir_reading.values import Value, value_of
from cds_service.hematology.lab_results import (
    Analyte,
    CollectionTime,
    CountResult,
    ReferenceRange,
    SetAside,
    SetAsideReason,
)


def read_counts(examined: Examined, rules: ResultRules) -> Iterator[CountResult | SetAside]:
    """One result for each analyte that the codes name; several only where they contradict each other."""
    analytes = examined.reported.identity.counts
    if not analytes:
        return
    value = value_of(examined.observation, examined.reported.resource)
    for analyte in analytes:
        read = _read_count(examined, value, analyte, rules)
        if isinstance(read, SetAsideReason):
            yield _set_aside(examined, value, analyte, read)
        else:
            yield read


def _read_count(examined: Examined, value: Value, analyte: Analyte, rules: ResultRules) -> CountResult | SetAsideReason:
    refusal = examined.refusal or value.refusal
    if refusal is not None or value.quantity is None:
        return refusal or SetAsideReason.VALUE_MISSING
    count = rules.counts.read(value.quantity, analyte)
    if isinstance(count, SetAsideReason):
        return count
    if isinstance(examined.collected, SetAsideReason):
        return examined.collected
    return _result(examined, examined.collected, count, analyte, rules)


def _result(
    examined: Examined, collected: CollectionTime, count: Count, analyte: Analyte, rules: ResultRules
) -> CountResult:
    reported, elements = examined.reported, examined.observation.elements
    specimen = next(members(reported.resource, "specimen"), None)
    return CountResult(
        reference=reported.reference,
        analyte=analyte,
        collected=collected,
        value=count.value,
        reported_value=number_text(count.reported),
        reported_unit=count.unit,
        status=elements["status"],
        comparator=count.comparator,
        converted=count.converted,
        issued=read_instant(elements.get("issued")),
        specimen=specimen_key(specimen, reported.reference),
        low_confidence=reported.identity.low_confidence,
        nrbc_corrected=reported.identity.nrbc_corrected,
        clumped=analyte is Analyte.PLATELETS and tells_clumps(reported.resource, rules.clumps),
        interpretation=_interpretation(reported.resource.get("interpretation")),
        reference_range=_reference_range(reported.resource.get("referenceRange")),
    )


def like_count(  # noqa: PLR0913 - all that is a result's own
    one: CountResult,
    reference: str,
    collected: CollectionTime,
    count: Count,
    issued: datetime | None,
    specimen: str | None,
) -> CountResult:
    """A count of a result spelled like another's, but for what is its own."""
    return CountResult(
        reference=reference,
        analyte=one.analyte,
        collected=collected,
        value=count.value,
        reported_value=number_text(count.reported),
        reported_unit=count.unit,
        status=one.status,
        comparator=count.comparator,
        converted=count.converted,
        issued=issued,
        specimen=specimen,
        low_confidence=one.low_confidence,
        nrbc_corrected=one.nrbc_corrected,
        clumped=one.clumped,
        interpretation=one.interpretation,
        reference_range=one.reference_range,
    )


def _interpretation(element: object) -> str | None:
    """What the laboratory calls the value, as far as it can be shown."""
    return ", ".join(filter(None, map(display_of, objects_in(element)))) or None


def _set_aside(examined: Examined, value: Value, analyte: Analyte, reason: SetAsideReason) -> SetAside:
    reference = examined.reported.reference
    if reason is SetAsideReason.OTHER_PATIENT:
        return SetAside(reference, analyte, reason)
    collected = examined.collected if isinstance(examined.collected, CollectionTime) else None
    identity = examined.reported.identity
    # An estimate never decides: one that can't be read unsettles no verdict either.
    may_decide = identity.contradictory or not identity.low_confidence
    unreadable = may_decide and examined.is_readable and value.is_reported
    return SetAside(reference, analyte, reason, collected, value.text, unreadable)


def tells_clumps(observation: Json, clumps: ClumpWords) -> bool:
    """Whether the laboratory wrote of clumps beside the value: in an interpretation or a note."""
    notes = (text_at(note, "text") or "" for note in members(observation, "note"))
    return _interpreted_as_clumps(observation.get("interpretation"), clumps) or clumps.tells_clumps(notes)


def _interpreted_as_clumps(element: object, clumps: ClumpWords) -> bool:
    return clumps.tells_clumps(texts_in(element))


def _reference_range(element: object) -> ReferenceRange | None:
    """The first reference range; None where there is none, or none that can be shown."""
    if element is None:
        return None
    first = next(objects_in(element), {})
    (low, low_unit), (high, high_unit) = _bound(first.get("low")), _bound(first.get("high"))
    text = text_at(first, "text") or ""
    if low is not None and high is not None and low_unit != high_unit:
        low = high = None
    if low is None and high is None:
        return ReferenceRange(text) if text else None
    return ReferenceRange(text, low, high, low_unit if low is not None else high_unit)


def _bound(quantity: object) -> tuple[Decimal | None, str]:
    value = number(quantity.get("value")) if isinstance(quantity, dict) else None
    return value, text_at(quantity, "unit") or text_at(quantity, "code") or ""
