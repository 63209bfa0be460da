"""The description of the addresses for machines, written by hand and held to the routes by a test."""

import json
from pathlib import Path

from flask import Flask, Response

from cds_service.cds_hooks.response_json import encode_json
from cds_service.web.security import PUBLIC

_DESCRIPTION = Path(__file__).with_name("openapi.json")


def register(app: Flask, software_version: str) -> None:
    """Serve `/openapi.json`."""
    described = json.loads(_DESCRIPTION.read_bytes())
    described["info"]["version"] = software_version
    body = encode_json(described)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(body, content_type="application/json", headers={"Cache-Control": PUBLIC})
