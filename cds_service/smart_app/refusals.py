"""Why a launch or a visit ends, in a word each: the page says it plainly, the log says the word. Knows no HTTP."""

from enum import StrEnum


class Trouble(StrEnum):
    """What went wrong, as the knowledge's words name it (`smart.trouble.*`)."""

    NOT_REGISTERED = "not-registered"
    """The FHIR server isn't one at which this app is registered."""
    NO_CONFIGURATION = "no-configuration"
    """The EHR doesn't tell where its authorization server is, or not in time."""
    SERVER_NOT_LISTED = "server-not-listed"
    """The authorization server isn't one of the registration's."""
    STALE = "stale"
    """The launch is unknown here, too old, or belongs to another browser."""
    DENIED = "denied"
    """The user or the EHR said no."""
    SCOPE = "scope"
    """What was granted isn't enough to read the counts."""
    EHR_REFUSED = "ehr-refused"
    """The authorization server answered with another error."""
    EHR_UNAVAILABLE = "ehr-unavailable"
    """The authorization server gave no usable answer."""
    NO_PATIENT = "no-patient"
    """No patient is in the launch's context."""
    IDENTITY = "identity"
    """The id_token doesn't hold."""
    EXPIRED = "expired"
    """The session has ended, and can't be renewed."""
    NO_DATA = "no-data"
    """The EHR's FHIR server didn't give the blood counts."""


class LaunchFailed(Exception):
    """A launch that can't go on."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
