"""Which FHIR release a server says it speaks: asked beside a call's searches, never waited for, kept for an hour.

It only settles what no resource's shape tells, so a call goes on without it. Knows no medicine.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.fhir_reading.releases import Release
from cds_service.fhir_reading.server import Fetched, FhirServer
from cds_service.outbound.deadline import Deadline

_REMEMBERED_SECONDS = 3600.0
_SERVERS_AT_MOST = 1000
_RELEASES = {"3.0": Release.STU3, "4.0": Release.R4, "4.3": Release.R4B, "5.0": Release.R5}
"""The beginning of CapabilityStatement.fhirVersion to the release."""


@dataclass
class ServerReleases:
    """What the servers of this process have told, by base URL; a server that tells nothing is remembered, too."""

    _told: dict[str, tuple[Release | None, float]] = field(default_factory=dict)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def of(self, base_url: str | None) -> Release | None:
        """The release that the server told, None where it isn't known."""
        release, _ = self._told.get(base_url or "", (None, 0.0))
        return release

    def is_due(self, base_url: str, deadline: Deadline) -> bool:
        """Whether the server is to be asked: once for all calls at a time, and again when an hour has gone."""
        with self._asking:
            now = deadline.clock()
            if base_url in self._told and self._told[base_url][1] > now:
                return False
            if len(self._told) >= _SERVERS_AT_MOST:
                self._told.clear()
            self._told[base_url] = (self.of(base_url), now + _REMEMBERED_SECONDS)
            return True

    def learn(self, base_url: str, capabilities: Fetched) -> None:
        """Remember what a CapabilityStatement says; one that could not be had leaves what was known."""
        with self._asking:
            for entry in capabilities.entries:
                _, until = self._told.get(base_url, (None, 0.0))
                self._told[base_url] = (_release_in(entry.resource), until)


def _release_in(statement: Mapping[str, object]) -> Release | None:
    version = statement.get("fhirVersion")
    return _RELEASES.get(version[:3]) if isinstance(version, str) else None


@dataclass(frozen=True)
class IntroducedServer:
    """A FHIR server during one call, which also tells what release it speaks."""

    server: FhirServer
    base_url: str
    releases: ServerReleases | None
    deadline: Deadline

    def fetch(self, query: str) -> Fetched:
        """All pages of a read or search."""
        return self.server.fetch(query)

    def follow(self, next_url: str, resource_type: str | None = None) -> Fetched:
        """All pages from a next link on."""
        return self.server.follow(next_url, resource_type)

    def introduce(self) -> None:
        """Ask for the CapabilityStatement where that is due; without `releases` never."""
        if self.releases is not None and self.releases.is_due(self.base_url, self.deadline):
            self.releases.learn(self.base_url, self.server.capabilities())
