"""The bytes of a request: their media type, their size, their end. Knows nothing of what they say."""

from flask import request
from werkzeug.exceptions import HTTPException

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.web.errors import BodyTooLarge, BodyTooSlow, MediaTypeUnsupported

_CHUNK = 64 * 1024
_CHARSETS = {"utf-8", "utf8", "us-ascii"}


def read_json_body(limit: int) -> bytes:
    """The whole body of the current request.

    Args:
        limit: bytes at most, by Content-Length and for chunked bodies alike.

    Raises:
        MediaTypeUnsupported: it isn't declared as JSON, or is compressed.
        BodyTooLarge: it is longer than the limit.
        BodyTooSlow: the client stopped sending.
        RequestInvalid: it ends early, its transfer coding is broken, or it is declared in another charset.
    """
    _check_media_type()
    if request.content_length is not None and request.content_length > limit:
        raise BodyTooLarge(limit)
    body = _read_up_to(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit)
    if request.content_length is not None and len(body) < request.content_length:
        raise RequestInvalid("The body ends before its Content-Length.")
    return body


def _check_media_type() -> None:
    media_type = request.mimetype
    if not (media_type in {"application/json", "text/json"} or media_type.endswith("+json")):
        raise MediaTypeUnsupported("Send the body as Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        raise MediaTypeUnsupported("Send the body without Content-Encoding; compressed bodies are not read.")
    if request.headers.get("Transfer-Encoding", "chunked").strip().lower() not in {"", "chunked"}:
        raise MediaTypeUnsupported("Send the body without other transfer codings than chunked; none else is read.")
    if request.mimetype_params.get("charset", "utf-8").lower() not in _CHARSETS:
        raise RequestInvalid("Send the body in UTF-8; JSON has no other charset.")


def _read_up_to(limit: int) -> bytes:
    """Read without Werkzeug's own limit, at which a chunked body would be cut and look whole."""
    body = bytearray()
    while len(body) < limit:
        try:
            chunk = request.stream.read(min(_CHUNK, limit - len(body)))
        except HTTPException:
            raise
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time.") from None
        except Exception:  # the server's own error classes for broken chunks; none of them ours to name
            raise RequestInvalid("The body could not be read to its end.") from None
        if not chunk:
            break
        body += chunk
    return bytes(body)
