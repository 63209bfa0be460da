"""Headers that protect: no sniffing, no framing, no caching, and CORS for the listed origins only."""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ALLOWED_HEADERS = "Authorization, Content-Type"
_PREFLIGHT_SECONDS = "600"
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PROTECTION = {
    "Content-Security-Policy": _API_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer carries, whoever gives it; a page has a policy of its own."""
PUBLIC = "max-age=300"
"""The Cache-Control of what is the same for everyone; all else is stored nowhere."""
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


_DATA = {**PROTECTION, "Cache-Control": "no-store"}
_PAGE = {**_DATA, "Content-Security-Policy": _PAGE_POLICY}


def register_headers(app: Flask, allowed_origins: frozenset[str]) -> None:
    """Set the headers on every answer, errors included; a route's own header stands."""
    app.wsgi_app = _protected(app.wsgi_app)  # type: ignore[method-assign,assignment]
    if allowed_origins:

        @app.after_request
        def share(response: Response) -> Response:
            _share(response, allowed_origins)
            return response


def _protected(app: "WSGIApplication") -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        def start(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> "Callable[[bytes], object]":  # noqa: ANN401 - as WSGI has it
            return start_response(status, _with_protection(headers), error)

        return app(environ, start)

    return answer


def _with_protection(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    own = {name.lower(): value for name, value in headers}
    if own.get("content-length") == "0":
        headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
    wanted = _PAGE if own.get("content-type", "").startswith("text/html") else _DATA
    return headers + [(name, value) for name, value in wanted.items() if name.lower() not in own]


def _share(response: Response, allowed_origins: frozenset[str]) -> None:
    """CORS (Fetch standard). No credentials mode: a client's token travels in the Authorization header."""
    response.vary.add("Origin")
    if request.headers.get("Origin") not in allowed_origins:
        return
    response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow)) or "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
