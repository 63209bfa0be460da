"""Yardstick (a): Flask parses the request and answers a fixed card. It reads no result, checks and judges nothing."""

from flask import Flask, Response, jsonify, request

from benchmarks.yardsticks.simple_rule import FIXED_CARD

app = Flask(__name__)


@app.get("/livez")
def livez() -> str:
    """Tell that the server is up."""
    return "ok"


@app.post("/cds-services/cytopenia-review")
def answer() -> Response:
    """Parse the body, answer the fixed card."""
    request.get_json()
    return jsonify(cards=[FIXED_CARD])
