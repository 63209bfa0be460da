"""The service's own HTTP calls, made as ever and listened to. Keeps no header, and so no token."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.outbound.client import Answer, HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.outbound.urls import HttpUrl


@dataclass(frozen=True)
class Exchange:
    """One call: what was asked (below the base where it lies there), and the answer, or why there was none."""

    query: str
    milliseconds: float
    answer: Answer | None = None
    failure: str = ""


class ListeningClient(HttpClient):
    """Calls as the service makes them; each is added to `heard`, in the order in which they ended."""

    def __init__(self, settings: OutboundSettings, base_url: str, heard: list[Exchange]) -> None:
        super().__init__(settings)
        self._prefix = f"{HttpUrl.parse(base_url)}".rstrip("/") + "/"
        self._heard = heard

    def send(
        self, method: str, url: HttpUrl, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> Answer:
        """Make one call, and remember it.

        Raises:
            CallFailed: there is no answer.
        """
        begun, query = time.monotonic(), str(url).removeprefix(self._prefix)
        try:
            answer = super().send(method, url, headers, body, deadline)
        except CallFailed as failed:
            self._heard.append(Exchange(query, _milliseconds_since(begun), failure=failed.reason))
            raise
        self._heard.append(Exchange(query, _milliseconds_since(begun), answer))
        return answer


def _milliseconds_since(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 1)
