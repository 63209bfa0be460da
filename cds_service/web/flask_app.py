"""The Flask app, put together from its routes and its hooks. Knows no medicine."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from cds_service.web import health, openapi, pages, routes
from cds_service.web.edge import Edge
from cds_service.web.errors import register_errors
from cds_service.web.request_log import record_calls
from cds_service.web.security import register_headers


class _App(Flask):
    """Flask without the look at each function, whether it is a coroutine: none of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_edge(edge: Edge) -> Flask:
    """A Flask app that serves this edge and nothing else."""
    app = _App("cds_service", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    register_headers(app, edge.allowed_origins)
    record_calls(app, edge.clock, edge.observers, edge.listeners)
    register_errors(app)
    routes.register(app, edge)
    health.register(app, edge)
    pages.register(app, edge.pages)
    openapi.register(app, edge.versions.get("software", "0"), edge.services)
    return app
