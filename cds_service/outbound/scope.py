"""Who may be called, and where a token may go. The list is matched before any connection; knows no FHIR."""

import re
import threading
from typing import Protocol

from cds_service.call_phases import current_traceparent
from cds_service.outbound.addresses import is_forbidden
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import Answer, HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallForbidden, ServerFailed
from cds_service.outbound.urls import HttpUrl, is_address

MAX_CALL_BYTES = 64 * 1024 * 1024
"""What all answers of one request may hold together; when it is used up, nothing more is asked for."""
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Token(Protocol):
    """A bearer token that shows itself only where the Authorization header is set."""

    def reveal(self) -> str:
        """The token itself."""
        ...


class Scope:
    """One request's licence to call one server. Nothing leaves its base; its token goes nowhere else."""

    def __init__(self, client: HttpClient, base: HttpUrl, token: Token | None, deadline: Deadline) -> None:
        self._client = client
        self._base = base
        self._token = token
        self._deadline = deadline
        self._bytes_left = MAX_CALL_BYTES
        self._counting = threading.Lock()

    @property
    def base(self) -> str:
        """The base URL, without a final slash."""
        return str(self._base).rstrip("/")

    def get(self, url: str, accept: str) -> Answer:
        """GET an absolute URL at or below the base.

        Raises:
            CallFailed: there is no answer, or the URL lies outside the base.
        """
        return self._send("GET", url, self._headers(accept), None)

    def post_form(self, url: str, form: str, accept: str) -> Answer:
        """POST an encoded form (a search too long for a URL) to an absolute URL at or below the base.

        Raises:
            CallFailed: there is no answer, or the URL lies outside the base.
        """
        headers = self._headers(accept) | {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", url, headers, form.encode("ascii"))

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        within = self._within_base(url)
        if self._bytes_left <= 0:
            raise ServerFailed("too-large")
        answer = self._client.send(method, within, headers, body, self._deadline)
        with self._counting:
            self._bytes_left -= len(answer.body)
        return answer

    def _within_base(self, text: str) -> HttpUrl:
        try:
            url = HttpUrl.parse(text)
        except ValueError:
            raise CallForbidden("outside-base") from None
        if not self._base.contains(url):
            raise CallForbidden("outside-base")
        return url

    def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "cytopenia-cds"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        return headers


def open_scope(
    client: HttpClient, allowed: AllowedServers, base_url: str, token: Token | None, deadline: Deadline
) -> Scope:
    """Allow the calls of one request: to one listed base, with its token, until its deadline.

    Raises:
        CallForbidden: no entry of the list allows this base, its address is never called, or the token can't go into
            a header.
    """
    base = allowed.find(base_url)
    if base is None:
        raise CallForbidden("not-listed")
    if is_address(base.host) and is_forbidden(base.host):
        raise CallForbidden("address-forbidden")  # told here, because behind a proxy no address of ours is looked up
    if token is not None and not _TOKEN.fullmatch(token.reveal()):
        raise CallForbidden("token-unusable")
    return Scope(client, base, token, deadline)
