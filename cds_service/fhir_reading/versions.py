"""One resource sent twice is one: the entries of a call without repeats and without superseded versions.

Room: fhir_reading. Knows `meta`, no other element.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

from cds_service.fhir_reading.dates import read_instant
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import text_at

_NEVER = datetime.min.replace(tzinfo=UTC)


def without_repeats(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The latest version of each resource, by `meta.lastUpdated`, then by a numeric `meta.versionId`.

    Versions that can't be told apart but differ are all kept: two values for one time are for the judge to weigh.
    Resources without id are all kept.
    """
    latest: dict[tuple[str | None, str] | int, Entry | _Latest] = {}
    for position, entry in enumerate(entries):
        resource_id = entry.resource_id
        key = (entry.resource_type, resource_id) if resource_id is not None else position
        met = latest.setdefault(key, entry)
        if met is not entry:
            versions = latest[key] = met if isinstance(met, _Latest) else _Latest([met])
            versions.meet(entry)
    left = ([one] if isinstance(one, Entry) else one.entries for one in latest.values())
    return tuple(chain.from_iterable(left))


@dataclass
class _Latest:
    """The versions of one resource that are left; contents are told apart only once there is a second one."""

    entries: list[Entry]
    contents: set[str] = field(default_factory=set)

    def meet(self, entry: Entry) -> None:
        new, old = _version(entry), _version(self.entries[0])
        if new > old:
            self.entries, self.contents = [entry], set()
        elif new == old:
            self.contents = self.contents or {_content(known) for known in self.entries}
            content = _content(entry)
            if content not in self.contents:
                self.entries.append(entry)
                self.contents.add(content)


def _content(entry: Entry) -> str:
    return json.dumps(entry.resource, sort_keys=True, default=repr)


def _version(entry: Entry) -> tuple[datetime, int]:
    version = text_at(entry.resource, "meta", "versionId") or ""
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 20 else -1
    return read_instant(text_at(entry.resource, "meta", "lastUpdated")) or _NEVER, number
