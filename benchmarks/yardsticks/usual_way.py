"""Yardstick (c), the usual way: Flask, every prefetched resource through fhir.resources, then the rule."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from flask import Flask, Response, jsonify, request

from benchmarks.yardsticks.simple_rule import cards_about

app = Flask(__name__)


@app.get("/livez")
def livez() -> str:
    """Tell that the server is up."""
    return "ok"


@app.post("/cds-services/cytopenia-review")
def answer() -> Response:
    """Validate all that was sent, apply the rule."""
    call = request.get_json()
    models = [
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        for prefetched in call["prefetch"].values()
        for resource in _resources(prefetched)
    ]
    observations = [model for model in models if model.get_resource_type() == "Observation"]
    return jsonify(cards=cards_about(observations, call["context"]["patientId"], datetime.now(UTC)))


def _resources(prefetched: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if prefetched["resourceType"] != "Bundle":
        yield prefetched
    for entry in prefetched.get("entry", ()):
        yield entry["resource"]
