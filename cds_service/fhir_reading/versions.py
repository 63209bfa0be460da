"""One resource sent twice is one: the entries of a call without repeats and without superseded versions.

Room: fhir_reading. Knows `meta`, no other element.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cds_service.fhir_reading.dates import read_instant
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import text_at

_NEVER = datetime.min.replace(tzinfo=UTC)


def without_repeats(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The latest version of each resource, by `meta.lastUpdated`, then by a numeric `meta.versionId`.

    Versions that can't be told apart but differ are all kept: two values for one time are for the judge to weigh.
    Resources without id are all kept.
    """
    latest: dict[tuple[str, str] | int, list[Entry]] = {}
    for position, entry in enumerate(entries):
        resource_id = text_at(entry.resource, "id")
        key = (str(entry.resource.get("resourceType")), resource_id) if resource_id is not None else position
        latest[key] = _newer(latest.get(key, []), entry)
    return tuple(entry for versions in latest.values() for entry in versions)


def _newer(known: Sequence[Entry], entry: Entry) -> list[Entry]:
    if not known:
        return [entry]
    new, old = _version(entry), _version(known[0])
    if new != old:
        return [entry] if new > old else list(known)
    repeated = any(version.resource == entry.resource for version in known)
    return list(known) if repeated else [*known, entry]


def _version(entry: Entry) -> tuple[datetime, int]:
    version = text_at(entry.resource, "meta", "versionId") or ""
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 20 else -1
    return read_instant(text_at(entry.resource, "meta", "lastUpdated")) or _NEVER, number
