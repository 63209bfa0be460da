"""Results shown beside the counts, and reports of platelet clumps. None of them decides a finding.

Room: fhir_reading. Knows no threshold; what can't be read is left out, for nothing rests on it.
"""

from decimal import Decimal

from cds_service.fhir_reading.clump_text import ClumpWords
from cds_service.fhir_reading.counts import tells_clumps
from cds_service.fhir_reading.observations import Examined
from cds_service.fhir_reading.projection import Json, members
from cds_service.fhir_reading.quantities import number
from cds_service.fhir_reading.specimens import specimen_key
from cds_service.fhir_reading.values import quantity_text, value_of
from cds_service.hematology.lab_results import (
    ClumpingReport,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    SetAsideReason,
)


def read_companion(examined: Examined, clumps: ClumpWords) -> CompanionResult | None:
    """The companion as reported; None where it has no usable value, time or status."""
    kind, elements = examined.reported.identity.companion, examined.observation.elements
    if kind is None or examined.refusal is not None or not isinstance(examined.collected, CollectionTime):
        return None
    value = value_of(examined.observation, examined.reported.resource)
    if value.refusal not in (None, SetAsideReason.VALUE_NOT_A_QUANTITY):
        return None
    present = clumps.presence(elements) if kind is CompanionKind.BLASTS else None
    quantity = value.quantity or {}
    return CompanionResult(
        reference=examined.reported.reference,
        kind=kind,
        collected=examined.collected,
        reported=value.text,
        status=elements["status"],
        present=present,
        number=_plain_number(quantity),
        unit=_unit(quantity),
    )


def like_companion(one: CompanionResult, reference: str, collected: CollectionTime, quantity: Json) -> CompanionResult:
    """A companion of a result spelled like another's, but for what is its own."""
    return CompanionResult(
        reference,
        one.kind,
        collected,
        quantity_text(quantity),
        one.status,
        None,
        _plain_number(quantity),
        _unit(quantity),
    )


def _plain_number(quantity: Json) -> Decimal | None:
    return None if "comparator" in quantity else number(quantity.get("value"))


def _unit(quantity: Json) -> str:
    return quantity.get("unit") or quantity.get("code") or ""


def read_clumping(examined: Examined, clumps: ClumpWords) -> ClumpingReport | None:
    """Positive evidence of clumps by a clump test's own value, note or interpretation; None: no such evidence."""
    elements = examined.observation.elements
    if examined.refusal is not None or not isinstance(examined.collected, CollectionTime):
        return None
    value = value_of(examined.observation, examined.reported.resource)
    positive = value.refusal in (None, SetAsideReason.VALUE_NOT_A_QUANTITY) and clumps.presence(elements) is True
    if not positive and not tells_clumps(examined.reported.resource, clumps):
        return None
    specimen = next(members(examined.reported.resource, "specimen"), None)
    reference = examined.reported.reference
    return ClumpingReport(reference, examined.collected, specimen_key(specimen, reference))
