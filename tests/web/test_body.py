"""How long a body may be, however it is sent, and what a broken one leads to."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import SERVICE, valid_call
from tests.web.conftest import LIMIT

VALID = json.dumps(valid_call()).encode()


class Broken(io.RawIOBase):
    """A body whose reading fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, _size: int = -1) -> bytes:
        raise self._error


def _padded(length: int) -> bytes:
    return VALID + b" " * (length - len(VALID))


def _chunked(client: FlaskClient, stream: Any) -> TestResponse:
    """As a server hands over a body without Content-Length: a stream that ends by itself."""
    return client.post(
        SERVICE,
        content_type="application/json",
        environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )


@pytest.mark.parametrize(("length", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (3 * LIMIT, 413)])
def test_the_limit_holds_by_length_and_for_chunks(client: FlaskClient, length: int, status: int) -> None:
    body = _padded(length)
    by_length = client.post(SERVICE, data=body, content_type="application/json")
    in_chunks = _chunked(client, io.BytesIO(body))
    assert (by_length.status_code, in_chunks.status_code) == (status, status)
    for answer in (by_length, in_chunks):
        if status == 413:
            assert_operation_outcome(answer.get_json(force=True))


def test_a_chunked_body_is_never_cut_to_what_looks_whole(client: FlaskClient) -> None:
    """Valid JSON up to the limit, and one more member after it: half of a request must not be judged."""
    body = _padded(LIMIT) + b'{"more": 1}'
    assert _chunked(client, io.BytesIO(body)).status_code == 413


@pytest.mark.parametrize(
    ("error", "status"), [(TimeoutError(), 408), (OSError("reset"), 400), (ValueError("bad chunk"), 400)]
)
def test_a_body_that_breaks_off_is_refused(client: FlaskClient, error: Exception, status: int) -> None:
    answer = _chunked(client, Broken(error))
    assert answer.status_code == status
    assert_operation_outcome(answer.get_json(force=True))


@pytest.mark.parametrize("ends", [{"wsgi.input_terminated": True}, {}])
def test_a_body_shorter_than_its_length_is_refused(client: FlaskClient, ends: dict[str, bool]) -> None:
    answer = client.post(
        SERVICE,
        content_type="application/json",
        environ_overrides={"wsgi.input": io.BytesIO(VALID), "CONTENT_LENGTH": str(len(VALID) + 5), **ends},
    )
    assert answer.status_code == 400


def test_the_media_type_is_looked_at_before_the_size(client: FlaskClient) -> None:
    assert client.post(SERVICE, data=_padded(2 * LIMIT), content_type="text/plain").status_code == 415
