"""Observations that are contained in another resource: results only where a DiagnosticReport names them.

Room: fhir_reading. Knows what a report's `result` and status mean for what it contains, and a panel's `hasMember` for
the members contained beside it. Members that are resources of their own inherit nothing.
"""

from collections.abc import Iterator, Mapping
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
_Holders = tuple[Json, ...]


@dataclass(frozen=True)
class _Container:
    """The resource that contains Observations. `named` maps the local reference of each that a report's results lead to
    onto what leads there: the report, and the contained panels between."""

    entry: Entry
    reference: str
    named: Mapping[str, _Holders]


def contained_results(entry: Entry, reference: str, lab_codes: LabCodes) -> Iterator[Reported]:
    """The results contained in a resource of any type; those that no `result` leads to come with a refusal."""
    container = _Container(entry, reference, _named(entry.resource))
    for contained in members(entry.resource, "contained"):
        if contained.get("resourceType") == "Observation":
            yield from results_in(_reported(contained, container, lab_codes), lab_codes)


def _named(report: Json) -> dict[str, _Holders]:
    if report.get("resourceType") != "DiagnosticReport":
        return {}
    contained = {_local(part): part for part in members(report, "contained")}
    named: dict[str, _Holders] = {}
    waiting: list[tuple[object, _Holders]] = [(result, (report,)) for result in members(report, "result")]
    for result, holders in waiting:  # grows while it is read: breadth first, so that the shortest way counts
        reference = text_at(result, "reference") or ""
        if reference in contained and reference not in named:
            named[reference] = holders
            panel = contained[reference]
            waiting.extend((member, (*holders, panel)) for member in members(panel, "hasMember"))
    return named


def _reported(contained: Json, container: _Container, lab_codes: LabCodes) -> Reported:
    resource, local = container.entry.resource, _local(contained)
    holders = container.named.get(local, (resource,))
    panels = holders[1:]
    own = tuple(part["subject"] for part in (*panels, contained) if part.get("subject") is not None)
    return Reported(
        resource=contained,
        reference=f"{container.reference}{local}",
        full_url=container.entry.full_url,
        identity=identify(contained.get("code"), lab_codes),
        subjects=(subject_of(resource), *own),
        container=resource,
        further=(*_specimens(contained, holders), *(panel.get("code") for panel in panels)),
        refusal=_withdrawn(holders) if local in container.named else SetAsideReason.CONTAINED_UNREFERENCED,
    )


def _specimens(contained: Json, holders: _Holders) -> tuple[object, ...]:
    """The specimen of the nearest holder that names one, where the result itself names none, and its type."""
    holder = next((part for part in reversed((*holders, contained)) if part.get("specimen") is not None), contained)
    if holder is contained:
        return ()
    named = {text_at(specimen, "reference") for specimen in members(holder, "specimen")}
    described = (part.get("type") for part in members(holders[0], "contained") if _local(part) in named)
    return (holder["specimen"], *described)


def _withdrawn(holders: _Holders) -> SetAsideReason | None:
    """Why a result whose report, or panel, was taken back isn't used."""
    refusals = (_WITHDRAWN.get(text_at(holder, "status") or "") for holder in holders)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _local(contained: Json) -> str:
    return f"#{text_at(contained, 'id') or ''}"
