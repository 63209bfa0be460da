"""What a server says of itself in its CapabilityStatement, as far as a search depends on it.

Room: fhir_reading. Reads the statement only; fetches nothing and remembers nothing.
"""

from dataclasses import dataclass

from cds_service.fhir_reading.projection import Json, members, text_at
from cds_service.fhir_reading.releases import Release

_RELEASES = {"3.0": Release.STU3, "4.0": Release.R4, "4.3": Release.R4B, "5.0": Release.R5}
"""The beginning of CapabilityStatement.fhirVersion to the release."""
_PANEL_PARAMETERS = ("component-code", "combo-code")
"""Observation's search parameters that look into components, the one that repeats less first."""


@dataclass(frozen=True)
class Capabilities:
    """What is known of a server; None where it says nothing of it.

    `panel_parameter` is the search parameter that finds Observations by the code of a component.
    """

    release: Release | None = None
    panel_parameter: str | None = None


def read_capabilities(statement: Json) -> Capabilities:
    """The capabilities that a CapabilityStatement (STU3 to R5) tells; what can't be read counts as not told."""
    version = text_at(statement, "fhirVersion") or ""
    offered = {
        text_at(parameter, "name")
        for rest in members(statement, "rest")
        for resource in members(rest, "resource")
        if text_at(resource, "type") == "Observation"
        for parameter in members(resource, "searchParam")
    }
    return Capabilities(
        release=_RELEASES.get(version[:3]),
        panel_parameter=next((name for name in _PANEL_PARAMETERS if name in offered), None),
    )
