"""Ordinary calls to addresses an operator typed: the sandbox and the commands. Never used for a URL out of a request.

What a request names goes through `scope`, with its guards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from cds_service.outbound.errors import ServerFailed, Unreachable
from cds_service.outbound.urls import HttpUrl

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class JsonAnswer:
    """What came back: the status and the decoded body, None when it has none; the headers sent and received."""

    status: int
    document: object
    sent_headers: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def get_json(url: str, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT_SECONDS) -> JsonAnswer:
    """GET a JSON document; every status is an answer.

    Raises:
        Unreachable: no answer in time.
        ServerFailed: the answer isn't JSON, or the URL isn't one.
    """
    return _exchange("GET", url, None, headers, timeout)


def post_json(
    url: str, document: object, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT_SECONDS
) -> JsonAnswer:
    """POST a JSON document; every status is an answer.

    Raises:
        Unreachable: no answer in time.
        ServerFailed: the answer isn't JSON, or the URL isn't one.
    """
    return _exchange("POST", url, document, headers, timeout)


def put_json(
    url: str, document: object, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT_SECONDS
) -> JsonAnswer:
    """PUT a JSON document; every status is an answer.

    Raises:
        Unreachable: no answer in time.
        ServerFailed: the answer isn't JSON, or the URL isn't one.
    """
    return _exchange("PUT", url, document, headers, timeout)


def _exchange(method: str, url: str, document: object, headers: Mapping[str, str] | None, timeout: float) -> JsonAnswer:
    accept = {"Accept": "application/json, application/fhir+json"}
    try:
        with requests.Session() as session:
            session.trust_env = not HttpUrl.parse(url).is_loopback  # a machine's proxy can't reach its loopback
            answer = session.request(method, url, json=document, headers=accept | dict(headers or {}), timeout=timeout)
            document = answer.json() if answer.content else None
            return JsonAnswer(answer.status_code, document, dict(answer.request.headers), dict(answer.headers))
    except requests.Timeout:
        raise Unreachable("timeout") from None
    except requests.exceptions.SSLError:
        raise Unreachable("tls") from None
    except requests.ConnectionError:
        raise Unreachable("not-reached") from None
    except (requests.RequestException, ValueError):
        raise ServerFailed("malformed") from None
