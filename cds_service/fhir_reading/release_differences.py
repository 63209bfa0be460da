"""STU3 and R5 resources put into R4's shape, so that all that lies behind knows R4 only (R4B doesn't differ).

Room: fhir_reading. What differs is told by `stu3` and `r5`, and validated by their own release's models as it was sent.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from cds_service.fhir_reading import r5, stu3
from cds_service.fhir_reading.alike import Alike
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import Json, members
from cds_service.fhir_reading.release_marks import release_told_by
from cds_service.fhir_reading.releases import Difference, Release, validated

_DIFFERENCES: Final[Mapping[Release, Mapping[str, Difference]]] = {
    release: {difference.sent.resource_type: difference for difference in differences}
    for release, differences in ((Release.STU3, stu3.DIFFERENCES), (Release.R5, r5.DIFFERENCES))
}


def in_r4_shape(entries: Iterable[Entry], site: Release | None = None) -> tuple[Entry, ...]:
    """The entries of a call as R4 has them.

    Args:
        entries: of any release; each is read as the release that its shape tells.
        site: the release of those whose shape tells none; None: the one that the other entries tell, else R4.
    """
    listed = tuple(entries)
    told = [None if isinstance(entry, Alike) else release_told_by(entry.resource) for entry in listed]
    found = set(told) - {None}
    default = site or (found.pop() if len(found) == 1 else None) or Release.R4
    return tuple(_entry_as_r4(entry, release or default) for entry, release in zip(listed, told, strict=True))


def _entry_as_r4(entry: Entry, release: Release) -> Entry:
    if isinstance(entry, Alike) and release not in _DIFFERENCES:
        return entry
    resource = _as_r4(entry.resource, release)
    return entry if resource is entry.resource else Entry(resource, entry.full_url, entry.included)


def _as_r4(resource: Json, release: Release) -> Json:
    """A resource, and what it contains, in R4's shape; the same object where nothing differs."""
    differs = _DIFFERENCES.get(release, {}).get(str(resource.get("resourceType")))
    if differs is not None:
        resource = {**resource, **differs.as_r4(resource, validated(resource, differs.sent, release))}
    if "contained" not in resource:
        return resource
    contained = list(members(resource, "contained"))
    parts = [_as_r4(part, release_told_by(part) or release) for part in contained]
    alike = all(part is sent for part, sent in zip(parts, contained, strict=True))
    return resource if alike else {**resource, "contained": parts}
