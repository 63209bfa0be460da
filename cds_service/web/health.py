"""Liveness and readiness, in state words; details are for who holds the operator's token."""

import hmac

from flask import Flask, Response, request

from cds_service.cds_hooks.response_json import encode_json
from cds_service.web.edge import Checks, Edge


def register(app: Flask, edge: Edge) -> None:
    """Serve `/livez` (this process answers) and `/readyz` (what it needs works too).

    From SIGTERM on `/readyz` says `draining`, so that no more calls are sent here; those that come are answered.
    Ready is also who answers calls without something it could do without; its state is then `degraded`.
    """

    @app.get("/livez")
    def livez() -> Response:
        return _state(200, {"status": "alive"})

    @app.get("/readyz")
    def readyz() -> Response:
        if edge.draining():
            return _state(503, {"status": "draining"})
        needed, spared = _try(edge.readiness), _try(edge.dispensable)
        ready, checks = "failing" not in needed.values(), needed | spared
        whole = "degraded" if "failing" in spared.values() else "ready"
        state: dict[str, object] = {"status": whole if ready else "not ready"}
        if _is_operator(edge.ops_token):
            state |= {name: part for name, part in (("checks", checks), ("versions", dict(edge.versions))) if part}
        return _state(200 if ready else 503, state)


def _try(checks: Checks) -> dict[str, str]:
    return {name: "off" if check is None else "working" if check() else "failing" for name, check in checks.items()}


def _state(status: int, state: dict[str, object]) -> Response:
    return Response(encode_json(state), status, content_type="application/json")


def _is_operator(token: str | None) -> bool:
    if not token:
        return False
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
