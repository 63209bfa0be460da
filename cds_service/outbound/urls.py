"""An http(s) URL in one strict, comparable form. What can be read in two ways is refused, not repaired.

The text that goes on the wire is written from the parsed form, so that no second parser can see another host in it.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")
_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]*")
_LEGAL_IN_QUERY = "%!$&'()*+,;=:@/?-._~"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class HttpUrl:
    """Scheme and host in lower case, the port always said, the path's segments as written, the query encoded."""

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...] = ()
    trailing_slash: bool = False
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> "HttpUrl":
        """Read an absolute http or https URL.

        Raises:
            ValueError: another scheme, user name, fragment, control character, backslash, empty or dot segment,
                a host that is neither a name in ASCII nor an IP address. The message does not repeat the text.
        """
        if not text.isprintable() or " " in text or "\\" in text:
            raise ValueError("a URL holds no space, control character or backslash")
        parts = urlsplit(text)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("an absolute http or https URL is needed")
        if "@" in parts.netloc or "#" in text:
            raise ValueError("user names and fragments are not accepted in a URL")
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
        if port == 0:
            raise ValueError("port 0 can't be called")
        segments, trailing_slash = _read_path(parts.path)
        query = quote(parts.query, safe=_LEGAL_IN_QUERY)
        return cls(parts.scheme, _read_host(parts.hostname), port, segments, trailing_slash, query)

    def contains(self, other: "HttpUrl") -> bool:
        """Whether `other` lies at or below this URL: same scheme, host and port, same leading path segments."""
        return (
            (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
            and other.segments[: len(self.segments)] == self.segments
        )  # fmt: skip

    @property
    def uses_default_port(self) -> bool:
        """Whether the port is the scheme's own."""
        return self.port == _DEFAULT_PORTS[self.scheme]

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, by its name alone (no look-up)."""
        return self.host == "localhost" or (is_address(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def host_in_url(self) -> str:
        """The host as a URL holds it: IPv6 addresses in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def target(self) -> str:
        """Path and query, as a request line holds them."""
        path = "".join(f"/{segment}" for segment in self.segments) + ("/" if self.trailing_slash else "")
        return (path or "/") + (f"?{self.query}" if self.query else "")

    def __str__(self) -> str:
        port = "" if self.uses_default_port else f":{self.port}"
        target = self.target if self.segments or self.query else ""
        return f"{self.scheme}://{self.host_in_url}{port}{target}"


def is_address(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read_host(host: str) -> str:
    host = host.lower()
    if not _HOST_NAME.fullmatch(host) and (not is_address(host) or "%" in host):
        raise ValueError("the host is neither a name in ASCII nor an IP address")
    return host


def _read_path(path: str) -> tuple[tuple[str, ...], bool]:
    if path in {"", "/"}:
        return (), False
    segments = path.removeprefix("/").split("/")
    trailing_slash = segments[-1] == ""
    if trailing_slash:
        segments.pop()
    if not all(_is_plain(segment) for segment in segments):
        raise ValueError("the path has an empty, dot or unreadable segment")
    return tuple(segments), trailing_slash


def _is_plain(segment: str) -> bool:
    """Whether a path segment means the same to every server: no dot segment, no hidden slash."""
    decoded = unquote(segment)
    return (
        bool(_SEGMENT.fullmatch(segment))
        and decoded not in {"", ".", ".."}
        and decoded.isprintable()
        and not set(decoded) & set("/\\%")
    )
