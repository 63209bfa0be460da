"""Observations that are contained in another resource: results only where a DiagnosticReport names them.

Room: fhir_reading. Knows what a report's `result` and status mean for what it contains.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.fhir_reading.codings import LabCodes, identify
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.observations import Reported, results_in
from cds_service.fhir_reading.projection import Json, members, text_at
from cds_service.fhir_reading.subjects import subject_of
from cds_service.hematology.lab_results import SetAsideReason

_WITHDRAWN = {
    "entered-in-error": SetAsideReason.ENTERED_IN_ERROR,
    "cancelled": SetAsideReason.STATUS_NOT_FINAL,
}


@dataclass(frozen=True)
class _Holder:
    """The resource that contains Observations, and which of them it names as its results."""

    entry: Entry
    reference: str
    named: frozenset[str]
    refusal: SetAsideReason | None


def contained_results(entry: Entry, reference: str, lab_codes: LabCodes) -> Iterator[Reported]:
    """The results contained in a resource of any type; those that no `result` names come with a refusal."""
    holder = _holder(entry, reference)
    for contained in members(entry.resource, "contained"):
        if contained.get("resourceType") == "Observation":
            yield from results_in(_reported(contained, holder, lab_codes), lab_codes)


def _holder(entry: Entry, reference: str) -> _Holder:
    if entry.resource.get("resourceType") != "DiagnosticReport":
        return _Holder(entry, reference, frozenset(), None)
    named = (text_at(result, "reference") for result in members(entry.resource, "result"))
    withdrawn = _WITHDRAWN.get(text_at(entry.resource, "status") or "")
    return _Holder(entry, reference, frozenset(name for name in named if name is not None), withdrawn)


def _reported(contained: Json, holder: _Holder, lab_codes: LabCodes) -> Reported:
    resource, local = holder.entry.resource, f"#{text_at(contained, 'id') or ''}"
    own = () if contained.get("subject") is None else (contained["subject"],)
    return Reported(
        resource=contained,
        reference=f"{holder.reference}{local}",
        full_url=holder.entry.full_url,
        identity=identify(contained.get("code"), lab_codes),
        subjects=(subject_of(resource), *own),
        container=resource,
        further=(resource.get("specimen"),) if contained.get("specimen") is None else (),
        refusal=holder.refusal if local in holder.named else SetAsideReason.CONTAINED_UNREFERENCED,
    )
