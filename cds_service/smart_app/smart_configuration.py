"""Where an EHR's authorization server is, and what it can (SMART App Launch 2.2, Conformance). Asks with our guards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.outbound.scope import Scope, open_scope
from cds_service.outbound.urls import HttpUrl
from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.smart_app.registrations import Registration

_WELL_KNOWN = "/.well-known/smart-configuration"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


@dataclass(frozen=True)
class SmartConfiguration:
    """The endpoints of an authorization server. `issuer` and `jwks_uri` are told where it can say who the user is."""

    authorization_endpoint: str
    token_endpoint: str
    issuer: str | None = None
    jwks_uri: str | None = None
    capabilities: frozenset[str] = frozenset()

    @property
    def takes_v2_scopes(self) -> bool:
        """Whether scopes are written `patient/Observation.rs`; older servers know `.read` only."""
        return "permission-v2" in self.capabilities


def fetch_configuration(http: HttpClient, registration: Registration, deadline: Deadline) -> SmartConfiguration:
    """Ask the well-known address, else the CapabilityStatement.

    Raises:
        LaunchFailed: neither tells the endpoints, or they are on a server that the registration doesn't name.
    """
    base = registration.fhir_server
    scope = open_scope(http, AllowedServers.parse([base]), base, None, deadline)
    told = _get(scope, base + _WELL_KNOWN)
    found = _from_well_known(told) or _from_capabilities(_get(scope, f"{base}/metadata"))
    if found is None:
        raise LaunchFailed(Trouble.NO_CONFIGURATION)
    for endpoint in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        if endpoint is not None:
            check_endpoint(endpoint, registration)
    return found


def check_endpoint(endpoint: str, registration: Registration) -> HttpUrl:
    """An endpoint of the FHIR server's own host, or below one of the registration's authorization servers.

    Raises:
        LaunchFailed: it is elsewhere: nothing of the launch goes there.
    """
    try:
        url = HttpUrl.parse(endpoint)
    except ValueError:
        raise LaunchFailed(Trouble.SERVER_NOT_LISTED) from None
    own = HttpUrl.parse(registration.fhir_server)
    same_origin = (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port)
    if same_origin or any(HttpUrl.parse(base).contains(url) for base in registration.authorization_servers):
        return url
    raise LaunchFailed(Trouble.SERVER_NOT_LISTED)


def _get(scope: Scope, url: str) -> Mapping[str, object]:
    """The document at an address; empty where there is none."""
    try:
        answer = scope.get(url, "application/json, application/fhir+json")
        return decode_object(answer.body) if answer.status == 200 else {}
    except (CallFailed, RequestInvalid):
        return {}


def _from_well_known(told: Mapping[str, object]) -> SmartConfiguration | None:
    authorization, token = text_in(told, "authorization_endpoint"), text_in(told, "token_endpoint")
    if not authorization or not token:
        return None
    listed = told.get("capabilities")
    return SmartConfiguration(
        authorization_endpoint=authorization,
        token_endpoint=token,
        issuer=text_in(told, "issuer"),
        jwks_uri=text_in(told, "jwks_uri"),
        capabilities=frozenset(one for one in listed if isinstance(one, str))
        if isinstance(listed, list)
        else frozenset(),
    )


def _from_capabilities(told: Mapping[str, object]) -> SmartConfiguration | None:
    """The extension oauth-uris of `rest.security` (SMART App Launch 1.0)."""
    uris = {
        str(part.get("url")): text_in(part, "valueUri") or ""
        for rest in _objects(told, "rest")
        for extension in _objects(rest.get("security"), "extension")
        if extension.get("url") == _OAUTH_URIS
        for part in _objects(extension, "extension")
    }
    authorization, token = uris.get("authorize"), uris.get("token")
    return SmartConfiguration(authorization, token) if authorization and token else None


def _objects(parent: object, name: str) -> Iterator[Mapping[str, object]]:
    listed = parent.get(name) if isinstance(parent, Mapping) else None
    if isinstance(listed, list):
        yield from (one for one in listed if isinstance(one, Mapping))


def text_in(told: Mapping[str, object], name: str) -> str | None:
    """A member that is a text and not empty."""
    value = told.get(name)
    return value if isinstance(value, str) and value else None
