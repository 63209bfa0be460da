"""Guarded HTTP calls over pooled connections. Knows no FHIR, and not who may be called (`scope` does).

Built on urllib3 rather than requests, because all that requests adds here is what must not happen: redirects, cookies
kept between callers, proxies and passwords from the environment, bodies inflated unasked.
"""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import certifi
from urllib3 import PoolManager, ProxyManager, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util import make_headers, parse_url

from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed, CallForbidden, ServerFailed, Unreachable
from cds_service.outbound.sockets import POOL_CLASSES, ForbiddenAddressError, TotalTimeoutTlsSocket
from cds_service.outbound.urls import HttpUrl

# urllib3's log lines hold URLs, and so patient ids.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

MAX_BODY_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What a server answered: `media_type` without parameters, in lower case; `body` as sent."""

    status: int
    media_type: str
    body: bytes
    retry_after: str = ""


@dataclass(frozen=True)
class OutboundSettings:
    """How we call others. `ca_bundle` replaces the public CAs; `https_proxy` is used for https only."""

    ca_bundle: Path | None = None
    client_cert: Path | None = None
    https_proxy: str | None = None
    max_body_bytes: int = MAX_BODY_BYTES


class HttpClient:
    """Pooled keep-alive connections, shared by all threads of a process."""

    def __init__(self, settings: OutboundSettings | None = None, pause: Callable[[float], object] = time.sleep) -> None:
        """Raises ValueError when a certificate file of the settings can't be used."""
        self._settings = settings or OutboundSettings()
        self._pause = pause
        if self._settings.ca_bundle or self._settings.client_cert:
            try:
                _ = self._tls_pools
            except OSError:
                raise ValueError(
                    "CDS_CA_BUNDLE or CDS_CLIENT_CERT can't be used: PEM is expected, and of a client certificate its "
                    "unencrypted key as well"
                ) from None

    def send(
        self, method: str, url: HttpUrl, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> Answer:
        """Make one call, and once more when the connection is lost or the server is busy (503) with time left.

        Raises:
            CallFailed: there is no answer; every status, redirects too, is an answer.
        """
        try:
            answer = self._send_once(method, url, headers, body, deadline)
        except Unreachable as failure:
            if failure.reason != "connection-lost" or not deadline.remaining():
                raise
        else:
            if answer.status != 503 or not self._may_try_again(answer, deadline):
                return answer
        return self._send_once(method, url, headers, body, deadline)

    def _may_try_again(self, busy: Answer, deadline: Deadline) -> bool:
        wait = float(busy.retry_after) if busy.retry_after.isdecimal() else 0.0
        if wait >= deadline.remaining():
            return False
        if wait:
            self._pause(wait)
        return True

    def _send_once(
        self, method: str, url: HttpUrl, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> Answer:
        if not deadline.remaining():
            raise Unreachable("timeout")
        pools = self._tls_pools if url.scheme == "https" else self._plain_pools
        try:
            # Straight to the pool: the manager would take the URL apart once more, character by character.
            response = pools.connection_from_host(url.host_in_url, url.port, url.scheme).urlopen(
                method, url.target, headers=dict(headers), body=body, timeout=_Until(deadline),
                retries=False, redirect=False, preload_content=False, decode_content=False,
            )  # fmt: skip
            return _read_answer(response, self._settings.max_body_bytes)
        except CallFailed:
            raise
        except (HTTPError, OSError, ValueError) as error:
            raise _why(error) from None

    @cached_property
    def _plain_pools(self) -> PoolManager:
        return self._with_guarded_sockets(PoolManager(num_pools=64, maxsize=32))

    @cached_property
    def _tls_pools(self) -> PoolManager:
        # Made on first use: loading the public CAs takes longer than all the rest of a start.
        context = ssl.create_default_context(cafile=str(self._settings.ca_bundle or certifi.where()))
        context.sslsocket_class = TotalTimeoutTlsSocket
        if self._settings.client_cert:
            # A password is never asked for: an encrypted key is told at start, instead of a prompt nobody sees.
            context.load_cert_chain(self._settings.client_cert, password="")
        proxy = self._settings.https_proxy
        if proxy is None:
            return self._with_guarded_sockets(PoolManager(num_pools=64, maxsize=32, ssl_context=context))
        login = make_headers(proxy_basic_auth=unquote(parse_url(proxy).auth or "")) if parse_url(proxy).auth else None
        return self._with_guarded_sockets(
            ProxyManager(proxy, proxy_headers=login, num_pools=64, maxsize=32, ssl_context=context)
        )

    @staticmethod
    def _with_guarded_sockets(pools: PoolManager) -> PoolManager:
        pools.pool_classes_by_scheme = POOL_CLASSES
        return pools


class _Until(Timeout):
    """urllib3's time-out, asked of the deadline at each step; its own would start anew behind a proxy."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def clone(self) -> "_Until":
        return _Until(self._deadline)

    @property
    def connect_timeout(self) -> float:
        return self._deadline.remaining()

    @property
    def read_timeout(self) -> float:
        return self._deadline.remaining()


def _read_answer(response: BaseHTTPResponse, max_bytes: int) -> Answer:
    whole = False
    try:
        body = _read_body(response, max_bytes)
        whole = True
    finally:
        if not whole:
            response.close()  # what is left unread must not be read as the next answer
        response.release_conn()
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(response.status, media_type, body, response.headers.get("Retry-After", ""))


def _read_body(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise ServerFailed("encoded")
    body = bytearray()
    if (response.length_remaining or 0) > max_bytes:
        raise ServerFailed("too-large")
    for chunk in response.stream(_CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise ServerFailed("too-large")
    return bytes(body)


def _why(error: Exception) -> CallFailed:
    """Our reason for an error of urllib3, whose own text holds the URL."""
    match error:
        case ForbiddenAddressError():
            return CallForbidden("address-forbidden")
        case NewConnectionError() | ProxyError():
            return Unreachable("not-reached")
        case ConnectTimeoutError() | ReadTimeoutError():
            return Unreachable("timeout")
        case SSLError():
            return Unreachable("tls")
        case HTTPError() | OSError():
            return Unreachable("connection-lost")
        case _:
            return ServerFailed("malformed")
