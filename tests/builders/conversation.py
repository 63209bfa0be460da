"""What a CDS client sends, in the shapes of the protocol: valid calls and reports to vary. Synthetic throughout."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders import chart

SERVICE = "/cds-services/cytopenia-review"
FEEDBACK = f"{SERVICE}/feedback"
ORIGIN = "https://ehr.example.org"
CARD = "0f8fad5b-d9cb-469f-a165-70867728950e"
SUGGESTION = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
LOW_COUNTS: list[dict[str, Any]] = [{"wbc": 2.9, "days": 1}, {"wbc": 3.1, "days": 21}, {"plt": 88, "days": 1}]


def valid_call(**members: Any) -> dict[str, Any]:
    """A call with all its prefetch, and low counts in it."""
    return chart.call(chart.prefetch(LOW_COUNTS), **members)


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """The body without the member at this path."""
    head, *rest = path
    if rest:
        return body | {head: without(body[head], *rest)}
    return {name: value for name, value in body.items() if name != head}


def replaced(body: dict[str, Any], value: Any, *path: str) -> dict[str, Any]:
    """The body with the member at this path set to a value."""
    head, *rest = path
    return body | {head: replaced(body[head], value, *rest) if rest else value}


def accepted(**members: Any) -> dict[str, Any]:
    """An entry for an accepted card."""
    return {
        "card": CARD,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": SUGGESTION}],
        "outcomeTimestamp": "2026-01-15T12:01:00Z",
        **members,
    }


def overridden(**members: Any) -> dict[str, Any]:
    """An entry for an overridden card."""
    return {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-01-15T12:01:00Z", **members}


def post(client: FlaskClient, body: Any, url: str = SERVICE) -> TestResponse:
    """POST a body as JSON."""
    return client.post(url, json=body)


def post_raw(
    client: FlaskClient, body: bytes, url: str = SERVICE, content_type: str = "application/json"
) -> TestResponse:
    """POST bytes as they are."""
    return client.post(url, data=body, content_type=content_type)
