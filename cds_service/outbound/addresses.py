"""From a host name to addresses we are willing to connect to. Knows no HTTP.

Whatever DNS says, no link-local, metadata, multicast or unspecified address is ever called: an allowed name that
someone points at the cloud's metadata service would hand out the machine's own credentials.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from cds_service.outbound.urls import is_address

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]

_NEVER_CALLED = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: AWS, Azure, Google, Oracle and others
        "fe80::/10",
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::254/128",  # Google over IPv6
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's host
        "192.0.0.192/32",  # Oracle
        "240.0.0.0/4",  # reserved
    )
)
_HOLD_IPV4 = tuple(
    ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 within a network (RFC 8215), as far as it keeps the address at the end
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "::/96",  # IPv4-compatible
    )
)
# Look-ups can't be interrupted: they run here, so that a dead resolver holds these few threads and no caller's.
_RESOLVERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolver")


class AddressForbidden(Exception):
    """The name resolves to an address that is never called."""


def is_forbidden(text: str) -> bool:
    """Whether an IP address is one that we never call, in any of the spellings that reach it."""
    address = ip_address(text.partition("%")[0])
    embedded = _embedded_ipv4(address)
    if embedded is not None:
        return is_forbidden(str(embedded))
    if address.is_multicast or address.is_unspecified:
        return True
    return any(address in network for network in _NEVER_CALLED)


def resolve(host: str, port: int, timeout: float) -> list[AddressInfo]:
    """The addresses of a host, all of them callable.

    Raises:
        TimeoutError: no answer of the resolver in `timeout` seconds.
        socket.gaierror: the name has no address.
        AddressForbidden: one of its addresses is never called.
    """
    if is_address(host):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    else:
        try:
            found = _RESOLVERS.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM).result(timeout)
        except NotInTime:
            raise TimeoutError from None
    if any(is_forbidden(str(info[4][0])) for info in found):
        raise AddressForbidden
    return [info for info in found if info[0] in {socket.AF_INET, socket.AF_INET6}]  # type: ignore[misc]


def _embedded_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_unspecified:
        return None
    if any(address in network for network in _HOLD_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
