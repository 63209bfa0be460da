"""The bytes of a request: their media type, their size, their end. Knows nothing of what they say."""

from typing import IO, TYPE_CHECKING

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.web.errors import BodyTooLarge, BodyTooSlow, MediaTypeUnsupported

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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
    environ = request.environ
    _check_media_type(environ)
    announced = get_content_length(environ) if environ.get("CONTENT_LENGTH") else None
    if announced is not None and announced > limit:
        raise BodyTooLarge(limit)
    body = _read_up_to(limit + 1 if announced is None else announced, get_input_stream(environ))
    if len(body) > limit:
        raise BodyTooLarge(limit)
    if announced is not None and len(body) < announced:
        raise RequestInvalid("The body ends before its Content-Length.")
    return body


def _check_media_type(environ: "WSGIEnvironment") -> None:
    media_type, options = parse_options_header(environ.get("CONTENT_TYPE"))
    media_type = media_type.lower()
    if not (media_type in {"application/json", "text/json"} or media_type.endswith("+json")):
        raise MediaTypeUnsupported("Send the body as Content-Type: application/json.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in {"", "identity"}:
        raise MediaTypeUnsupported("Send the body without Content-Encoding; compressed bodies are not read.")
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() not in {"", "chunked"}:
        raise MediaTypeUnsupported("Send the body without other transfer codings than chunked; none else is read.")
    if options.get("charset", "utf-8").lower() not in _CHARSETS:
        raise RequestInvalid("Send the body in UTF-8; JSON has no other charset.")


def _read_up_to(limit: int, stream: IO[bytes]) -> bytes:
    """Read without Werkzeug's own limit, at which a chunked body would be cut and look whole."""
    chunks: list[bytes] = []
    while limit > 0:
        try:
            chunk = stream.read(limit)
        except HTTPException:
            raise
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time.") from None
        except Exception:  # the server's own error classes for broken chunks; none of them ours to name
            raise RequestInvalid("The body could not be read to its end.") from None
        if not chunk:
            break
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)
