"""The FHIR servers that may be called, joined from the guarded calls and the reading of FHIR. Knows no prefetch."""

from codecs import BOM_UTF8
from dataclasses import dataclass, field

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.request import AccessToken
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.fhir_reading.releases import Release
from cds_service.fhir_reading.server import FhirServer
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallForbidden
from cds_service.outbound.scope import open_scope
from cds_service.services.known_server import KnownServer
from cds_service.services.server_memory import ServerMemory


@dataclass(frozen=True)
class ListedServers:
    """FHIR access to the servers of a list, with what is remembered of them."""

    client: HttpClient
    allowed: AllowedServers
    memory: ServerMemory = field(default_factory=ServerMemory)

    def open(self, base_url: str, token: AccessToken | None, deadline: Deadline) -> KnownServer | None:
        """The server with this base, or None when it may not be called: the same for every server not listed."""
        try:
            server = FhirServer(open_scope(self.client, self.allowed, base_url, token, deadline), _decode)
        except CallForbidden:
            return None
        return KnownServer(server, base_url.rstrip("/"), self.memory, deadline)

    def release_of(self, base_url: str | None) -> Release | None:
        """The FHIR release that a server told, None where it isn't known."""
        return self.memory.of(base_url).capabilities.release


def _decode(body: bytes) -> object:
    """The same exact numbers as in a request; some servers begin with a byte order mark, which RFC 8259 lets pass."""
    try:
        return decode_object(body.removeprefix(BOM_UTF8))
    except RequestInvalid as error:
        raise ValueError(error.message) from None
