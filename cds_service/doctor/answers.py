"""What an answer that was listened to holds, and why it can't be used, by the reader's own rules."""

from collections.abc import Mapping

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.doctor.listening import Exchange
from cds_service.fhir_reading.entries import Unpacked, unpack

_WEB_PAGES = {"text/html", "application/xhtml+xml"}


def reason_of(exchange: Exchange, resource_type: str) -> str:
    """Why this gave nothing, as a reason code; empty where it gave something, be it an empty searchset."""
    answer = exchange.answer
    if answer is None:
        return exchange.failure
    if answer.status != 200:
        return f"status-{answer.status}"
    if answer.media_type in _WEB_PAGES:
        return "web-page"
    if not document_of(exchange):
        return "not-fhir-json"
    return unpacked(exchange, resource_type).failure or ""


def unpacked(exchange: Exchange, resource_type: str) -> Unpacked:
    """The resources in an answer."""
    return unpack(document_of(exchange), resource_type)


def document_of(exchange: Exchange) -> Mapping[str, object]:
    """The decoded body; empty where it is no JSON object."""
    try:
        return decode_object(exchange.answer.body) if exchange.answer else {}
    except RequestInvalid:
        return {}
