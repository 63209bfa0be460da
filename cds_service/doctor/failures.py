"""Every way in which a server fails, in a plain sentence, with what to do next. Knows no step."""

import socket
from dataclasses import dataclass

from cds_service.outbound.urls import HttpUrl


@dataclass(frozen=True)
class Failure:
    """What happened, and what to do about it."""

    says: str
    advice: str

    def of(self, resource_type: str) -> "Failure":
        """The same, about a type of resource."""
        return Failure(self.says, self.advice.replace("{type}", resource_type))


_ASK_OPERATOR = "Ask whoever runs the FHIR server; its log tells more than it told us."
_BASE_URL = "Check the base URL: it is the part of the address before /Patient, and often ends in /fhir or /r4."
_FAILURES = {
    "timeout": Failure(
        "No answer in time.", "Try the URL from this machine with a browser or curl; look for a firewall in between."
    ),
    "not-reached": Failure(
        "The server can't be reached: the connection is refused or finds no way.",
        "Check host and port of the URL, that the server runs, and that this machine may reach it (firewall, proxy).",
    ),
    "name-unknown": Failure(
        "The host's name can't be found (DNS).",
        "Check the host's spelling, and that this machine uses the name server that knows it.",
    ),
    "tls": Failure(
        "No TLS, or the server's certificate is not accepted: unknown authority, expired, or made for another name.",
        "Check that the port speaks https. With a private certificate authority, set CDS_CA_BUNDLE to its PEM file; "
        "else have the certificate renewed.",
    ),
    "connection-lost": Failure(
        "The server closed the connection before it had answered.",
        "Check the port, and whether it is https; else the server's log tells more.",
    ),
    "address-forbidden": Failure(
        "The host is, or its name leads to, a link-local or metadata address, which is never called.",
        "Give the server's own address; check what its name resolves to on this machine.",
    ),
    "outside-base": Failure(
        "The server sends us outside its own base URL, and we don't go there.",
        "Give the base URL that the server itself uses in its links (often its public one).",
    ),
    "too-large": Failure("The answer is larger than what is taken (16 MiB).", _ASK_OPERATOR),
    "encoded": Failure("The answer is compressed though that was not asked for.", _ASK_OPERATOR),
    "malformed": Failure("The answer is not HTTP.", "Check the port: something else than a web server answers there."),
    "web-page": Failure("The answer is a web page, not FHIR.", _BASE_URL),
    "not-fhir-json": Failure("The answer is not FHIR's JSON.", _BASE_URL),
    "unreadable": Failure("The answer is JSON, but not what was asked for.", _BASE_URL),
    "outcome": Failure("The server answered with an OperationOutcome: the search failed there.", _ASK_OPERATOR),
    "status-3xx": Failure(
        "The server redirects us, and redirects are not followed, so that no token goes astray.",
        "Give the base URL that it redirects to.",
    ),
    "status-400": Failure("The server doesn't understand the question (400).", _ASK_OPERATOR),
    "status-401": Failure(
        "The server doesn't accept the token, or wants one (401).",
        "Give a fresh token with --token-file; it must be issued for this server.",
    ),
    "status-403": Failure(
        "The token doesn't allow this (403).",
        "Grant the scope patient/{type}.rs (SMART 2; in SMART 1 patient/{type}.read) and use a new token.",
    ),
    "status-404": Failure("There is no such thing on the server (404).", _BASE_URL),
    "status-410": Failure("It was there and was deleted (410).", "Choose another patient."),
    "status-429": Failure("The server says that it is asked too often (429).", "Wait a while and try again."),
    "status-5xx": Failure("The server failed ({status}).", _ASK_OPERATOR),
    "status-xxx": Failure("The server answered {status}.", _ASK_OPERATOR),
}
"""By reason; `status-Nxx` for those not named."""


def failure_of(reason: str, resource_type: str = "*") -> Failure:
    """A reason code of a failed call, or `status-N`, in words."""
    if reason.startswith("status-"):
        status = reason.removeprefix("status-")
        found = _FAILURES.get(reason) or _FAILURES.get(f"status-{status[:1]}xx") or _FAILURES["status-xxx"]
        return Failure(found.says.replace("{status}", status), found.advice).of(resource_type)
    return _FAILURES.get(reason, Failure(f"No usable answer ({reason}).", _ASK_OPERATOR)).of(resource_type)


def unreached_because(url: str) -> str:
    """Tells a name that isn't known from a host that doesn't answer."""
    parsed = HttpUrl.parse(url)
    try:
        socket.getaddrinfo(parsed.host, parsed.port)
    except OSError:
        return "name-unknown"
    return "not-reached"


NO_ANSWER = {"timeout", "not-reached", "name-unknown", "tls", "connection-lost", "address-forbidden", "malformed"}
"""After these, asking on would only fail again."""
