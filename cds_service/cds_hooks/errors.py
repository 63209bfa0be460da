"""Why a call is refused, one small class per failure. Knows no status code: only `web.errors` does.

Every message is for the caller's developer: gentle, concise, actionable, and free of patient data.
"""


class CallRefused(Exception):
    """A call that can't be answered.

    `message` is shown to the caller; `issue_code` is a code of the FHIR R4 value set issue-type
    (OperationOutcome.issue.code).
    """

    issue_code = "processing"
    reason: str = ""
    """A class of it for log and counts, where there is one finer than the error's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestInvalid(CallRefused):
    """The request breaks the CDS Hooks specification or isn't strict JSON (400)."""

    issue_code = "invalid"


class ClientRefused(CallRefused):
    """The call proves no trusted client (401). The caller isn't told why; `reason` is a class for the log."""

    issue_code = "login"

    def __init__(self, reason: str) -> None:
        super().__init__("This service answers trusted CDS clients only; send a valid bearer token.")
        self.reason = reason


class ServiceUnknown(CallRefused):
    """No service with this id is offered here (404)."""

    issue_code = "not-found"


class DataNotAvailable(CallRefused):
    """Data the service needs were neither prefetched nor obtainable (412).

    `missing` names the prefetch keys that could not be had, `reason` is a class of why.
    """

    issue_code = "incomplete"

    def __init__(self, message: str, missing: tuple[str, ...] = (), reason: str = "") -> None:
        super().__init__(message)
        self.missing = missing
        self.reason = reason


class StoreUnavailable(CallRefused):
    """The database could not take what it was given; nothing was stored (503, Retry-After)."""

    issue_code = "transient"
