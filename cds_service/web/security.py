"""Headers that protect: no sniffing, no framing, no caching, and CORS for the listed origins only."""

from flask import Flask, Response, request

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


def register_headers(app: Flask, allowed_origins: frozenset[str]) -> None:
    """Set the headers on every answer, errors included; a route's own header stands."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        if response.mimetype == "text/html":
            headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
        given = {name.lower() for name, _ in headers}
        for name, value in PROTECTION.items():
            if name.lower() not in given:
                headers.add(name, value)
        if response.calculate_content_length() == 0:
            headers.pop("Content-Type", None)
        headers.setdefault("Cache-Control", "no-store")
        if allowed_origins:
            _share(response, allowed_origins)
        return response


def _is_allowed(allowed_origins: frozenset[str]) -> bool:
    return request.headers.get("Origin") in allowed_origins


def _share(response: Response, allowed_origins: frozenset[str]) -> None:
    """CORS (Fetch standard). No credentials mode: a client's token travels in the Authorization header."""
    response.vary.add("Origin")
    if not _is_allowed(allowed_origins):
        return
    response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow)) or "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
