"""Connections whose time-out bounds the whole exchange, and which never reach a forbidden address. Knows no HTTP.

A socket's own time-out bounds each read: a server that sends one byte a second could hold a call for hours. Here
`settimeout(t)` means: all that follows is over in t seconds, header, body and TLS handshake alike.
"""

import socket
import ssl
import time
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from cds_service.outbound.addresses import AddressForbidden, AddressInfo, resolve

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class ForbiddenAddressError(HTTPError):
    """The connection was not made: the name resolves to an address that is never called."""


class TotalTimeoutSocket(socket.socket):
    """A socket whose time-out is for everything until the next `settimeout`."""

    _expires: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Bound all that follows, in seconds."""
        self._expires = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def _use_time_left(self) -> None:
        if self._expires is None:
            return
        left = self._expires - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this exchange is over")
        super().settimeout(left)

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = 0, flags: int = 0) -> int:
        """Receive within the time left."""
        self._use_time_left()
        _acknowledge_at_once(self)
        return super().recv_into(buffer, nbytes or 0, flags)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receive within the time left."""
        self._use_time_left()
        return super().recv(bufsize, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send within the time left."""
        self._use_time_left()
        return super().send(data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send all within the time left."""
        self._use_time_left()
        super().sendall(data, flags)


class TotalTimeoutTlsSocket(TotalTimeoutSocket, ssl.SSLSocket):  # type: ignore[misc]
    """The same for TLS; OpenSSL's handshake is bounded as a whole by the time-out it starts with."""


class GuardedConnection(HTTPConnection):
    """A plain connection to a checked address."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host)


class GuardedTlsConnection(HTTPSConnection):
    """A TLS connection to a checked address."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host)


class GuardedPool(HTTPConnectionPool):
    """Kept-alive plain connections."""

    ConnectionCls = GuardedConnection


class GuardedTlsPool(HTTPSConnectionPool):
    """Kept-alive TLS connections."""

    ConnectionCls = GuardedTlsConnection


POOL_CLASSES: dict[str, type] = {"http": GuardedPool, "https": GuardedTlsPool}


def _acknowledge_at_once(connected: socket.socket) -> None:
    """Spare 40 ms with a server that sends head and body in two writes and waits for our delayed acknowledgement."""
    if hasattr(socket, "TCP_QUICKACK"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _connect(connection: HTTPConnection, host: str) -> socket.socket:
    """Connect to the first address that answers: the very addresses that were checked, not a second look-up."""
    ends = time.monotonic() + (connection.timeout or 0.0)
    try:
        infos = resolve(host, connection.port, max(0.0, ends - time.monotonic()))
        return _connect_to_first(infos, ends)
    except AddressForbidden:
        raise ForbiddenAddressError from None
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from None
    except TimeoutError:
        raise ConnectTimeoutError(connection, "not connected in time") from None
    except OSError:
        raise NewConnectionError(connection, "not connected") from None


def _connect_to_first(infos: list[AddressInfo], ends: float) -> socket.socket:
    failure: OSError = OSError("no address")
    for index, (family, kind, protocol, _, address) in enumerate(infos):
        connected = TotalTimeoutSocket(family, kind, protocol)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left = max(0.001, ends - time.monotonic())
            connected.settimeout(left / (len(infos) - index))  # a dead first address leaves time for the next
            connected.connect(address)
        except OSError as error:
            connected.close()
            failure = error
        else:
            connected.settimeout(max(0.001, ends - time.monotonic()))
            return connected
    raise failure
