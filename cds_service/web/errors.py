"""Refusals and failures as FHIR OperationOutcomes. The one place that knows HTTP status codes.

Nothing of the request is repeated, and nothing of the inside (class, path, library) is told.
"""

import secrets
import traceback
from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service.cds_hooks.errors import (
    CallRefused,
    ClientRefused,
    DataNotAvailable,
    RequestInvalid,
    ServiceUnknown,
    StoreUnavailable,
)
from cds_service.cds_hooks.response_json import encode_json
from cds_service.web.request_log import current_call, write_line


class BodyTooLarge(CallRefused):
    """The body has more bytes than CDS_MAX_BODY_BYTES (413)."""

    issue_code = "too-long"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes, the most taken here; prefetch fewer results.")


class BodyTooSlow(CallRefused):
    """The body did not arrive in time (408)."""

    issue_code = "timeout"


class MediaTypeUnsupported(CallRefused):
    """The body isn't declared as plain JSON (415)."""

    issue_code = "not-supported"


class TooManyCalls(CallRefused):
    """The client called more often than CDS_RATE_LIMIT allows (429, Retry-After in seconds)."""

    issue_code = "throttled"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many calls; call again in {retry_after} s.")
        self.retry_after = retry_after


STATUS: dict[type[CallRefused], int] = {
    RequestInvalid: 400,
    ClientRefused: 401,
    ServiceUnknown: 404,
    BodyTooSlow: 408,
    DataNotAvailable: 412,
    BodyTooLarge: 413,
    MediaTypeUnsupported: 415,
    TooManyCalls: 429,
    StoreUnavailable: 503,
}
"""The status of each refusal; a kind that isn't here is a 400."""
_HTTP_MESSAGES: dict[int, tuple[str, str]] = {
    400: ("invalid", "The HTTP request is malformed."),
    404: ("not-found", "Nothing is here; GET /cds-services lists the CDS services offered."),
    405: ("not-supported", "This method is not offered here; the Allow header names those that are."),
    413: ("too-long", "The body is too large."),
}


def register_errors(app: Flask) -> None:
    """Answer every failure of the app with an OperationOutcome."""
    app.register_error_handler(CallRefused, _answer_refusal)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unexpected)


def operation_outcome(issue_code: str, message: str) -> bytes:
    """The body of an error: one issue of severity error (FHIR R4 OperationOutcome)."""
    issue = {"severity": "error", "code": issue_code, "diagnostics": message}
    return encode_json({"resourceType": "OperationOutcome", "issue": [issue]})


def _answer(status: int, issue_code: str, message: str) -> Response:
    return Response(operation_outcome(issue_code, message), status, content_type="application/fhir+json")


def _answer_refusal(error: CallRefused) -> Response:
    record = current_call()
    record.refused, record.refusal_reason = type(error).__name__, error.reason or None
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    response = _answer(status, error.issue_code, error.message)
    if status == 503:
        response.headers["Retry-After"] = "5"
    if isinstance(error, TooManyCalls):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, ClientRefused):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    current_call().refused = type(error).__name__
    issue_code, message = _HTTP_MESSAGES.get(status, ("processing", "The HTTP request can't be answered."))
    response = _answer(status, issue_code, message)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.allow.update(error.valid_methods)
    return response


def _answer_unexpected(error: Exception) -> Response:
    """Log class and place, never values: a message or an argument could hold patient data."""
    reference = secrets.token_hex(8)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames]
    current_call().refused = "unexpected"
    write_line("error", "unexpected-error", {"reference": reference, "error": type(error).__name__, "places": places})
    return _answer(500, "exception", f"The service failed unexpectedly. Reference for its operator: {reference}.")
