"""What came of a request to a FHIR server, as one of a few words fit for counts. Knows no request."""

from enum import StrEnum


class Outcome(StrEnum):
    """What came of it; docs/operations/metrics.md says what to look at."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    NOT_REACHED = "not-reached"
    TLS = "tls"
    CONNECTION_LOST = "connection-lost"
    ACCESS_REFUSED = "access-refused"
    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    REFUSED = "refused"
    SERVER_ERROR = "server-error"
    OTHER_STATUS = "other-status"
    UNUSABLE = "unusable"
    NOT_ASKED = "not-asked"


_BY_REASON = {
    "": Outcome.ANSWERED,
    "timeout": Outcome.TIMEOUT,
    "not-reached": Outcome.NOT_REACHED,
    "tls": Outcome.TLS,
    "connection-lost": Outcome.CONNECTION_LOST,
    "status-401": Outcome.ACCESS_REFUSED,
    "status-403": Outcome.ACCESS_REFUSED,
    "status-404": Outcome.NOT_FOUND,
    "status-410": Outcome.NOT_FOUND,
    "status-429": Outcome.THROTTLED,
    "address-forbidden": Outcome.NOT_ASKED,
    "outside-base": Outcome.NOT_ASKED,
    "too-many-queries": Outcome.NOT_ASKED,
}
_BY_STATUS = {"4": Outcome.REFUSED, "5": Outcome.SERVER_ERROR}


def outcome_of(reason: str) -> Outcome:
    """The word for a reason code of a fetch; what has none of its own is an answer that could not be used."""
    if (known := _BY_REASON.get(reason)) is not None:
        return known
    kind, _, status = reason.partition("-")
    return _BY_STATUS.get(status[:1], Outcome.OTHER_STATUS) if kind == "status" else Outcome.UNUSABLE
