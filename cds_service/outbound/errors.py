"""Why a call to another server gave nothing. Reason codes only: no URL, no header, no word of the other server.

They are OSErrors, so that a room that only knows this package's protocol can catch them.
"""

from typing import Literal

Reason = Literal[
    "not-listed",
    "outside-base",
    "address-forbidden",
    "token-unusable",
    "timeout",
    "not-reached",
    "tls",
    "connection-lost",
    "too-large",
    "encoded",
    "malformed",
]


class CallFailed(OSError):
    """A call that gave no answer; `reason` is fit for logs and metrics."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class CallForbidden(CallFailed):
    """We would not make this call: server not listed, URL outside the base, address never called, token unusable."""


class Unreachable(CallFailed):
    """The server gave no answer in time: not reached, TLS refused, connection lost, too slow."""


class ServerFailed(CallFailed):
    """The server answered, but not in a way we take: too large, encoded without being asked to, not HTTP."""
