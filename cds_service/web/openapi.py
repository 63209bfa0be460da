"""The description of the addresses for machines, written by hand and held to the code by tests."""

import json
from collections.abc import Iterable
from pathlib import Path

from flask import Flask, Response

from cds_service.cds_hooks.response_json import encode_json
from cds_service.web.security import PUBLIC

_DESCRIPTION = Path(__file__).with_name("openapi.json")


def register(app: Flask, software_version: str, service_ids: Iterable[str]) -> None:
    """Serve `/openapi.json`, with what only the running service knows filled in."""
    described = json.loads(_DESCRIPTION.read_bytes())
    described["info"]["version"] = software_version
    described["components"]["parameters"]["ServiceId"]["schema"]["enum"] = sorted(service_ids)
    body = encode_json(described)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(body, content_type="application/json", headers={"Cache-Control": PUBLIC})
