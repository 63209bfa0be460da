"""No word, id, number or token of a request reaches a log line or an error: each string of the request is marked.

Every call goes through the whole service, with the most talkative log level; what it writes is captured at the file
descriptors, so that a library's own lines count as well. All data are synthetic.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord, log_call
from tests.builders import chart
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden, post, post_raw, replaced, without
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub, outcome

MARK = "Marker"
MARKS = (MARK.lower(), chart.PATIENT, "synthetic-p1", "1970-05-05", "2.9137", "88.137", "secret-diagnostics")
"""What may be in no log line and in no error, in lower case: words, ids, a birth date, values, a server's own words."""
TEXT = f'{MARK} <b>said</b>\r\n{{"level": "{MARK}"}}'
CODED = {"coding": [{"system": f"urn:{MARK}", "code": MARK, "display": TEXT}], "text": TEXT}
FREE: dict[str, Any] = {
    "text": {"status": "generated", "div": TEXT},
    "identifier": [{"system": f"urn:{MARK}", "value": MARK}],
    "note": [{"text": TEXT}],
    "performer": [{"reference": f"Practitioner/{MARK}", "display": TEXT}],
    "encounter": {"reference": f"Encounter/{MARK}"},
}
COUNTS: list[dict[str, Any]] = [
    {"wbc": 2.9137, "days": 1, "id": f"{MARK}-1", "with": FREE},
    {"wbc": 2.9137, "days": 21, "id": f"{MARK}-2", "with": FREE},
    {"plt": 88.137, "days": 1, "id": f"{MARK}-3", "with": FREE},
    {"plt": 88.137, "days": 2, "id": f"{MARK}-4", "unit": f"{MARK}/uL", "with": FREE},
    {"wbc": f"{MARK} clotted", "days": 3, "id": f"{MARK}-5", "with": FREE | {"dataAbsentReason": CODED}},
    {"condition": "icd10cm K74.60", "id": f"{MARK}-6", "text": TEXT, "with": FREE},
    {"condition": f"local {MARK}", "id": f"{MARK}-7", "text": TEXT, "with": FREE},
    {"medication": "rxnorm 6851", "days": 60, "id": f"{MARK}-8", "with": FREE},
    {"medication": f"text {MARK}", "days": 60, "id": f"{MARK}-9", "with": FREE},
]
TOKEN = {"access_token": f"{MARK}-token", "token_type": "Bearer", "scope": f"{MARK}.read", "subject": MARK}
NAMED = chart.patient(name=[{"family": MARK, "given": [MARK]}], telecom=[{"value": MARK}], **FREE)


def _call(**members: Any) -> dict[str, Any]:
    """A call whose every free string is marked."""
    prefetch = chart.prefetch(COUNTS) | {"patient": NAMED, MARK: TEXT}
    context = {"userId": "Practitioner/synthetic-p1", "patientId": chart.PATIENT, "encounterId": MARK, MARK: TEXT}
    return chart.call(prefetch, context=context, extension={MARK: TEXT}, **{MARK: TEXT}, **members)


def _from(stub: FhirStub) -> dict[str, Any]:
    return without(_call(fhirServer=stub.base, fhirAuthorization=TOKEN), "prefetch")


class Leaky(Exception):
    """Stands for any library's error, whose text quotes what it was given."""


def _fail(*_: object, **__: object) -> NoReturn:
    raise Leaky(json.dumps(_call()))


def _observe_badly(record: CallRecord) -> None:
    log_call(record)
    _fail()


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as server:
        yield server


@pytest.fixture(autouse=True)
def _charts(stub: FhirStub) -> None:
    prefetched = chart.prefetch(COUNTS)
    stub.replies = {
        "Patient": Reply(NAMED),
        "Observation": Reply(prefetched["counts"]),
        "Condition": Reply(prefetched["conditions"]),
        "MedicationRequest": Reply(prefetched["medications"]),
    }


def _client(stub: FhirStub, database: Path) -> FlaskClient:
    settings = Settings(
        auth="off", database_url=f"sqlite:///{database}", fhir_servers=stub.base, log_level="debug",
        max_body_bytes=100_000,
    )  # fmt: skip
    return create_app(settings, lambda: chart.AS_OF, observers=(_observe_badly,)).test_client()


@pytest.fixture(scope="module")
def client(stub: FhirStub, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return _client(stub, tmp_path_factory.mktemp("leaks") / "feedback.sqlite3")


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The log lines so far; none of them, nor anything else that was written, holds a mark."""

    def read() -> list[dict[str, Any]]:
        written = "".join(capfd.readouterr())
        assert_no_mark(written)
        return [json.loads(line) for line in written.splitlines()]

    return read


def assert_no_mark(text: str) -> None:
    """Nothing of the request is in it."""
    assert not [mark for mark in MARKS if mark in text.lower()], text


ANSWERED: dict[str, Callable[[FlaskClient, FhirStub], TestResponse]] = {
    "a card from prefetch": lambda client, _: post(client, _call()),
    "a card from the FHIR server": lambda client, stub: post(client, _from(stub)),
    "feedback": lambda client, _: post(client, {"feedback": [accepted(extension={MARK: TEXT})]}, FEEDBACK),
    "a comment": lambda client, _: post(
        client,
        {"feedback": [overridden(overrideReason={"reason": CODED["coding"][0], "userComment": TEXT})]},
        FEEDBACK,
    ),
    "discovery asked with a query": lambda client, _: client.get(f"/cds-services?{MARK}={MARK}"),
}
REFUSED: dict[str, tuple[int, Callable[[FlaskClient, FhirStub], TestResponse]]] = {
    "no JSON": (400, lambda client, _: post_raw(client, json.dumps(_call()).encode()[:-1])),
    "a member twice": (400, lambda client, _: post_raw(client, f'{{"{MARK}": "{MARK}", "{MARK}": 2.9137}}'.encode())),
    "another hook": (400, lambda client, _: post(client, _call(hook=MARK))),
    "no UUID": (400, lambda client, _: post(client, _call(hookInstance=MARK))),
    "an odd user": (400, lambda client, _: post(client, replaced(_call(), f"{MARK}!", "context", "userId"))),
    "an odd patient": (400, lambda client, _: post(client, replaced(_call(), f"{MARK}/1", "context", "patientId"))),
    "an odd FHIR server": (400, lambda client, _: post(client, _call(fhirServer=f"{MARK}://x"))),
    "an odd token": (400, lambda client, _: post(client, _call(fhirAuthorization=TOKEN | {"access_token": TEXT}))),
    "another's token": (400, lambda client, _: post(client, _call(fhirAuthorization=TOKEN | {"patient": MARK}))),
    "odd feedback": (400, lambda client, _: post(client, {"feedback": [overridden(outcome=MARK)]}, FEEDBACK)),
    "an odd time": (400, lambda client, _: post(client, {"feedback": [overridden(outcomeTimestamp=MARK)]}, FEEDBACK)),
    "an unknown service": (404, lambda client, _: post(client, _call(), f"/cds-services/{MARK}")),
    "an unknown page": (404, lambda client, _: client.get(f"/{MARK}?{MARK}")),
    "another method": (405, lambda client, _: client.open(SERVICE, method=MARK.upper(), json=_call())),
    "no data": (412, lambda client, _: post(client, without(_call(), "prefetch"))),
    "another patient": (412, lambda client, _: post(client, replaced(_call(), MARK, "prefetch", "patient", "id"))),
    "a failed query": (412, lambda client, _: post(client, replaced(_call(), outcome("error"), "prefetch", "counts"))),
    "a foreign server": (412, lambda client, stub: post(client, _from(stub) | {"fhirServer": f"https://{MARK}.org"})),
    "too long": (413, lambda client, _: post(client, _call() | {"extension": TEXT * 10_000})),
    "another media type": (415, lambda client, _: post_raw(client, b"{}", content_type=f"text/{MARK}")),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERED)
def test_no_log_line_of_an_answered_call_holds_anything_of_it(
    what: str, client: FlaskClient, stub: FhirStub, told: Any
) -> None:
    answer = ANSWERED[what](client, stub)
    assert answer.status_code == 200
    lines = told()
    assert [line["event"] for line in lines] == ["call", "observer-failed"]
    assert lines[0]["status"] == 200


@pytest.mark.parametrize("what", REFUSED)
def test_no_refusal_repeats_anything_of_the_call(what: str, client: FlaskClient, stub: FhirStub, told: Any) -> None:
    status, send = REFUSED[what]
    answer = send(client, stub)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert_no_mark(answer.get_data(as_text=True) + str(answer.headers))
    assert told()[0]["status"] == status


@pytest.mark.parametrize(
    "reply",
    [
        Reply(outcome("error"), 500),
        Reply(outcome("error")),
        Reply({MARK: MARK}, 401, headers={"WWW-Authenticate": MARK}),
        Reply({}, 302, headers={"Location": f"https://{MARK}.example.org/{MARK}"}),
        Reply(MARK.encode(), media_type=f"text/{MARK}"),
        Reply(f'{{"{MARK}": "{MARK}"'.encode()),
        Reply({"resourceType": MARK}),
    ],
)
def test_no_failure_of_the_fhir_server_is_quoted(reply: Reply, client: FlaskClient, stub: FhirStub, told: Any) -> None:
    stub.replies["Observation"] = reply
    answer = post(client, _from(stub))
    assert answer.status_code == 412
    assert_no_mark(answer.get_data(as_text=True))
    assert told()[0]["refused"] == "DataNotAvailable"


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from _leaves(member, (*path, key))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = value.copy()
    changed[path[0]] = _with(value[path[0]], path[1:], odd)
    return changed


@pytest.mark.parametrize("odd", [TEXT, {MARK: [TEXT, 2.9137]}], ids=["text", "object"])
def test_an_odd_value_at_any_place_is_not_quoted(odd: Any, client: FlaskClient, stub: FhirStub, told: Any) -> None:
    call = _call(fhirServer=stub.base, fhirAuthorization=TOKEN)
    for path in _leaves(call):
        if path[0] == "hookInstance" and odd == TEXT:
            continue  # a hook instance that is none is refused above; one that is a UUID is logged
        answer = post(client, _with(call, path, odd))
        assert answer.status_code in {200, 400, 412}, path
        if answer.status_code != 200:
            assert_no_mark(answer.get_data(as_text=True))
    assert {line["event"] for line in told()} == {"call", "observer-failed"}


@pytest.mark.parametrize("room", ["gather", "read_clinical_picture", "assess", "CardComposer.compose"])
def test_an_unexpected_error_tells_its_class_and_place_only(
    room: str, client: FlaskClient, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"cds_service.services.cytopenia_review.{room}", _fail)
    answer = post(client, _call())
    assert answer.status_code == 500
    assert_no_mark(answer.get_data(as_text=True))
    (unexpected,) = (line for line in told() if line["event"] == "unexpected-error")
    assert unexpected["error"] == "Leaky"
    assert unexpected["reference"] in answer.get_data(as_text=True)


def test_a_database_that_is_gone_costs_a_503_without_a_word_of_the_report(
    stub: FhirStub, told: Any, tmp_path: Path
) -> None:
    client = _client(stub, tmp_path / "feedback.sqlite3")
    (tmp_path / "feedback.sqlite3").unlink()
    answer = post(client, {"feedback": [overridden(overrideReason={"userComment": TEXT})]}, FEEDBACK)
    assert answer.status_code == 503
    assert_no_mark(answer.get_data(as_text=True))
    assert told()[0]["refused"] == "StoreUnavailable"


RAW = {
    "no HTTP": f"{MARK}\r\n\r\n",
    "an odd header": f"GET /cds-services HTTP/1.1\r\nHost: x\r\nAuthorization : {MARK}\r\n\r\n",
    "an odd version": f"GET /{MARK} HTTP/9.9\r\n\r\n",
    "a path too long": f"GET /{MARK * 3000} HTTP/1.1\r\nHost: x\r\n\r\n",
    "an odd length": f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Length: {MARK}\r\n\r\n",
    "a body cut off": f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    f"Connection: close\r\nContent-Length: 99\r\n\r\n{MARK}",
    "an unknown path": f"GET /{MARK}?{MARK} HTTP/1.1\r\nHost: {MARK}\r\nConnection: close\r\n\r\n",
}


@pytest.mark.server
def test_the_real_server_writes_nothing_of_its_clients(stub: FhirStub, tmp_path: Path) -> None:
    """gunicorn's own lines count as well; the log is that of the command, from start to end."""
    settings = {"CDS_AUTH": "off", "CDS_FHIR_SERVERS": stub.base, "CDS_DRAIN_SECONDS": "0"}
    settings |= {"CDS_METRICS_BIND": "off", "CDS_LOG_LEVEL": "debug"}
    settings |= {
        "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/feedback.sqlite3",
        "CDS_PSEUDONYM_KEY": "synthetic-key-of-16",
    }
    command = [sys.executable, "-m", "cds_service", "serve", "--port", "0", "--workers", "1"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        address = urlsplit(process.stdout.readline().decode().split()[1])
        called = json.dumps(_from(stub)).encode()
        head = (
            f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MARK}\r\nContent-Type: application/json\r\n"
        )
        call = f"{head}Connection: close\r\nContent-Length: {len(called)}\r\n\r\n".encode() + called
        assert _send(address.port or 0, call).startswith("HTTP/1.1 200")
        for request in RAW.values():
            answer = _send(address.port or 0, request.encode())
            assert answer.startswith("HTTP/1.1 4"), answer
            assert_no_mark(answer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
    assert_no_mark((tmp_path / "log").read_text())
    assert len([json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]) == len(RAW) + 1


def _send(port: int, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
