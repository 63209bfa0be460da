"""The yardstick: a Flask service that parses the request and answers a fixed card, and does nothing else."""

from flask import Flask, Response, jsonify, request

app = Flask(__name__)

CARD = {"cards": [{"summary": "A fixed card", "indicator": "info", "source": {"label": "yardstick"}}]}


@app.get("/livez")
def livez() -> str:
    """Tell that the server is up."""
    return "ok"


@app.post("/cds-services/cytopenia-review")
def answer() -> Response:
    """Parse the body, answer the fixed card."""
    request.get_json()
    return jsonify(CARD)
