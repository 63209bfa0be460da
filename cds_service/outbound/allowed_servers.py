"""The list of servers that may be called, matched before any connection is made. Knows no network."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.outbound.urls import HttpUrl

_ANY_PORT = re.compile(r"^(https?://[^/?#]+):\*(?=/|$)")


@dataclass(frozen=True)
class _Entry:
    url: HttpUrl
    any_port: bool

    def allows(self, base: HttpUrl, allow_http: bool) -> bool:
        as_listed = base.scheme == self.url.scheme
        downgraded = allow_http and base.scheme == "http"
        same_port = base.port == self.url.port if as_listed else _ports_agree(base, self.url)
        return (
            (as_listed or downgraded)
            and base.host == self.url.host
            and (self.any_port or same_port)
            and base.segments[: len(self.url.segments)] == self.url.segments
        )


@dataclass(frozen=True)
class AllowedServers:
    """Bases that may be called: scheme, host, port and leading path segments must be those of an entry.

    `allow_http` is for test setups: it lets a server listed as https be called by plain http, too.
    """

    entries: tuple[_Entry, ...] = ()
    allow_http: bool = False

    @classmethod
    def parse(cls, texts: Iterable[str], allow_http: bool = False) -> "AllowedServers":
        """Read the list; the port of an entry may be `*`.

        Raises:
            ValueError: an entry isn't an absolute http(s) URL without query; the message names it.
        """
        return cls(tuple(_parse_entry(text.strip()) for text in texts if text.strip()), allow_http)

    def find(self, base_url: str) -> HttpUrl | None:
        """The base to call, or None when no entry allows it (or it is no base URL at all)."""
        try:
            base = HttpUrl.parse(base_url)
        except ValueError:
            return None
        if base.query or not any(entry.allows(base, self.allow_http) for entry in self.entries):
            return None
        return base


def _parse_entry(text: str) -> _Entry:
    try:
        url = HttpUrl.parse(_ANY_PORT.sub(r"\1", text))
    except ValueError as error:
        raise ValueError(f"{text!r} can't be a listed server: {error}") from None
    if url.query:
        raise ValueError(f"{text!r} can't be a listed server: a base URL has no query")
    return _Entry(url, any_port=bool(_ANY_PORT.match(text)))


def _ports_agree(base: HttpUrl, listed: HttpUrl) -> bool:
    return base.port == listed.port or (base.uses_default_port and listed.uses_default_port)
