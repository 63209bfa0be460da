"""What the sandbox's EHR decides of one SMART launch, carried in its `launch` handle. Knows no server."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

import orjson

STANDALONE = "standalone"
LAUNCHES = {
    "grant": "grants what is asked",
    "once": "grants it without a refresh token",
    "narrow": "grants a narrower scope, without results",
    "refuse": "refuses",
    STANDALONE: "isn’t told a patient: standalone launch, choose one there",
}
"""The situations of a launch that can be chosen, in words."""


@dataclass(frozen=True)
class LaunchContext:
    """What the EHR's side decides of one launch: the patient, and how the server shall behave.

    `answer` is `grant`, or what goes wrong: `refuse`, `narrow` (no scope for Observations), `once` (no
    refresh token). `seconds` is the life of the access token. `app_context` is what the card's link tells
    the app, "" for nothing.
    """

    patient: str
    answer: str = "grant"
    seconds: int = 3600
    app_context: str = ""

    def handle(self) -> str:
        """The opaque `launch` parameter."""
        return urlsafe_b64encode(orjson.dumps(vars(self))).decode().rstrip("=")

    @classmethod
    def read(cls, handle: str) -> "LaunchContext | None":
        """The context of a handle, None for any other text."""
        try:
            told = orjson.loads(urlsafe_b64decode(handle + "=" * (-len(handle) % 4)))
            context = str(told.get("app_context", ""))
            return cls(str(told["patient"]), str(told["answer"]), int(told["seconds"]), context)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
