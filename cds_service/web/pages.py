"""Pages for people: what the service judges, its sources and limits. Serves what it is handed; no patient data."""

from collections.abc import Callable, Mapping

from flask import Flask, Response

from cds_service.web.security import PUBLIC


def register(app: Flask, pages: Mapping[str, Callable[[], str]]) -> None:
    """Serve each page at its path."""
    for path, make in pages.items():
        app.add_url_rule(path, endpoint=f"page {path}", view_func=_page(make))


def _page(make: Callable[[], str]) -> Callable[[], Response]:
    return lambda: Response(make(), content_type="text/html; charset=utf-8", headers={"Cache-Control": PUBLIC})
