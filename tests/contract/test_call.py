"""Calling a service: what is answered, what is refused, and how (CALL, ERR, FHIR, EXT, VER, ROB, SAFE rows)."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms, card_ids
from tests.builders.conversation import SERVICE, post, post_raw, replaced, valid_call, without

BASE = valid_call()
OTHER_INSTANCE = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
TOKEN = "synthetic-access-token-3b9f"
SERVER = "https://ehr.example.org/fhir"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Patient.read user/Observation.read",
    "subject": "cds-service-1",
}

INSIDES = re.compile(
    r"Traceback|\.py\b|site-packages|orjson|[Ff]lask|[Ww]erkzeug|gunicorn|Error\b|/(usr|home|tmp|var)/"
)

ANSWERED: dict[str, dict[str, Any]] = {
    "CALL-1": BASE,
    "CALL-13 encounter": replaced(BASE, "e1", "context", "encounterId"),
    **{
        f"CALL-14 {kind}": replaced(BASE, f"{kind}/u-1", "context", "userId")
        for kind in ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
    },
    "CALL-15 bare id": replaced(BASE, "u-1", "context", "userId"),
    "CALL-18 authorization without server": BASE | {"fhirAuthorization": AUTHORIZATION},
    "CALL-19 null server": BASE | {"fhirServer": None},
    "CALL-19 empty server": BASE | {"fhirServer": ""},
    "CALL-19 null authorization": BASE | {"fhirAuthorization": None},
    "CALL-19 empty authorization": BASE | {"fhirAuthorization": {}},
    "CALL-19 null encounter": replaced(BASE, None, "context", "encounterId"),
    "CALL-19 empty encounter": replaced(BASE, "", "context", "encounterId"),
    "FHIR-3 open server": BASE | {"fhirServer": "http://127.0.0.1:9/fhir"},
    "FHIR-4 no token": BASE | {"fhirServer": SERVER, "fhirAuthorization": without(AUTHORIZATION, "access_token")},
    "FHIR-4 expires_in text": BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"expires_in": "300"}},
    "FHIR-4 lower case": BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"token_type": "bearer"}},
    "FHIR-4 other type": BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"token_type": "MAC"}},
    "FHIR-5, VER-3": BASE | {
        "fhirServer": SERVER,
        "fhirAuthorization": AUTHORIZATION | {"scope": "patient/Observation.rs", "patient": "synthetic-1"},
    },
    "EXT-3 root": BASE | {"extension": {"org.example.x": 1}},
    "EXT-3 context": replaced(BASE, {"org.example.x": [None]}, "context", "extension"),
    "EXT-3 authorization": BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"extension": {}}},
    "EXT-4": replaced(BASE | {"unknown": "member"}, 1, "context", "unknown"),
    "VER-1 legacy members": BASE | {"user": "Practitioner/1", "redirect": "https://ehr.example.org", "patient": "1"},
}  # fmt: skip

REFUSED: dict[str, Any] = {
    "CALL-3": without(BASE, "hook"),
    "CALL-4": without(BASE, "hookInstance"),
    "CALL-5": without(BASE, "context"),
    **{
        f"CALL-6 {member} {value!r}": BASE | {member: value}
        for member in ("hook", "hookInstance", "context")
        for value in (None, 1, True, [], ["x"], "")
    },
    **{f"CALL-6 prefetch {value!r}": BASE | {"prefetch": value} for value in (1, True, [], ["x"], "x", "")},
    "CALL-7": BASE | {"hook": "order-sign"},
    "CALL-10 array": [BASE],
    "CALL-10 string": "hook",
    "CALL-10 number": 1,
    "CALL-12 userId": without(BASE, "context", "userId"),
    "CALL-12 patientId": without(BASE, "context", "patientId"),
    "CALL-15 empty": replaced(BASE, "", "context", "userId"),
    "CALL-15 url": replaced(BASE, f"{SERVER}/Practitioner/1", "context", "userId"),
    "CALL-15 lower case": replaced(BASE, "patient/1", "context", "userId"),
    "CALL-16 text": BASE | {"hookInstance": "not-a-uuid"},
    "CALL-16 braces": BASE | {"hookInstance": "{" + OTHER_INSTANCE + "}"},
    "CALL-16 no hyphens": BASE | {"hookInstance": OTHER_INSTANCE.replace("-", "")},
    "CALL-16 newline": BASE | {"hookInstance": OTHER_INSTANCE + "\n"},
    "CALL-19 encounter number": replaced(BASE, 7, "context", "encounterId"),
    "CALL-23": replaced(BASE, "Patient/synthetic-1", "context", "patientId"),
    "CALL-23 traversal": replaced(BASE, "../Patient", "context", "patientId"),
    "CALL-23 long": replaced(BASE, "a" * 65, "context", "patientId"),
    "CALL-23 number": replaced(BASE, 1, "context", "patientId"),
    "FHIR-4 token with a line break": BASE | {"fhirAuthorization": AUTHORIZATION | {"access_token": "a\r\nX: y"}},
    "FHIR-4 token number": BASE | {"fhirAuthorization": AUTHORIZATION | {"access_token": 1}},
    "FHIR-4 text": BASE | {"fhirAuthorization": TOKEN},
    "FHIR-6": BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION | {"patient": "another"}},
    **{
        f"FHIR-9 {url}": BASE | {"fhirServer": url}
        for url in (
            "file:///etc/passwd", "gopher://x", "text", "//x", "https://", "https://u:p@x/fhir", "https://x/fhir?a=b",
            "https://x/fhir#a", "http://x y/", "http://x:port/", "http://[::1", "https://x\n/fhir", "https://x\\y", 7,
        )
    },
}  # fmt: skip

RAW = {
    "CALL-9 empty": b"",
    "CALL-9 blank": b" \n",
    "CALL-9 truncated": json.dumps(BASE).encode()[:-10],
    "CALL-9 trailing comma": b'{"hook": "patient-view",}',
    "CALL-9 trailing data": json.dumps(BASE).encode() + b"{}",
    "CALL-9 not UTF-8": json.dumps(BASE).encode().replace(b"synthetic-1", b"synth\xe9tic"),
    "CALL-9 UTF-16": json.dumps(BASE).encode("utf-16"),
    "CALL-9 byte order mark": b"\xef\xbb\xbf" + json.dumps(BASE).encode(),
    "CALL-9 lone surrogate": json.dumps(BASE).encode().replace(b"patient-view", b"\\ud800"),
    "CALL-9 comment": b"{} // comment",
    "CALL-10 null": b"null",
    "CALL-9 XML": b"<a/>",
    "JSON-5 member twice": json.dumps(BASE).encode().replace(b'{"hook"', b'{"hook": "patient-view", "hook"', 1),
    "JSON-5 patient twice": json.dumps(BASE).encode().replace(b'"patientId"', b'"patientId": "other", "patientId"', 1),
    "ROB-6": b"[" * 50_000 + b"]" * 50_000,
    "ROB-6 objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "ROB-6 in prefetch": json.dumps(BASE).encode().replace(b'"total": 3', b'"total": ' + b"[" * 400 + b"]" * 400),
    "ROB-7 NaN": json.dumps(BASE).encode().replace(b"2.9", b"NaN"),
    "ROB-7 Infinity": json.dumps(BASE).encode().replace(b"2.9", b"-Infinity"),
    "ROB-7 beyond a double": json.dumps(BASE).encode().replace(b"2.9", b"1e400"),
    "ROB-7 tiny exponent": json.dumps(BASE).encode().replace(b"2.9", b"1e-999999999"),
    "ROB-7 huge integer": json.dumps(BASE).encode().replace(b"2.9", b"9" * 5000),
    "ROB-7 endless fraction": json.dumps(BASE).encode().replace(b"2.9", b"0." + b"1" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("body", ANSWERED.values(), ids=ANSWERED.keys())
def test_is_answered(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = post(client, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    assert_response_conforms(answer.get_json(), "synthetic-1")
    assert answer.headers["Cache-Control"] == "no-store", "SAFE-5"


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_as_invalid(client: FlaskClient, body: Any) -> None:
    _assert_refused(post(client, body), 400)


@pytest.mark.parametrize("body", RAW.values(), ids=RAW.keys())
def test_a_body_that_is_not_strict_json_is_refused(client: FlaskClient, body: bytes) -> None:
    _assert_refused(post_raw(client, body), 400)


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/fhir+json", "application/json;charset=UTF-8"],
)
def test_call_2_json_is_accepted_in_any_spelling(client: FlaskClient, content_type: str) -> None:
    assert post_raw(client, json.dumps(BASE).encode(), content_type=content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json", "*/*"])
def test_call_11_another_media_type_is_refused(client: FlaskClient, content_type: str) -> None:
    _assert_refused(post_raw(client, json.dumps(BASE).encode(), content_type=content_type), 415)


def test_call_11_a_compressed_body_is_refused(client: FlaskClient) -> None:
    answer = client.post(
        SERVICE, data=b"\x1f\x8b", content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    _assert_refused(answer, 415)


@pytest.mark.parametrize(
    "url", ["/cds-services/unknown", "/cds-services/unknown/feedback", "/cds-services/a%2Fb", "/x"]
)
def test_call_8_and_fb_16_what_is_not_offered_is_404(client: FlaskClient, url: str) -> None:
    _assert_refused(post(client, BASE, url), 404)


def test_call_21_and_24_a_retry_is_answered_as_the_first_time(client: FlaskClient) -> None:
    assert post(client, BASE).get_json() == post(client, BASE).get_json()


def test_card_14_another_hook_instance_has_other_ids_and_the_same_guidance(client: FlaskClient) -> None:
    first, second = (post(client, body).get_json() for body in (BASE, BASE | {"hookInstance": OTHER_INSTANCE}))
    assert not set(card_ids([first])) & set(card_ids([second]))
    assert [card["summary"] for card in first["cards"]] == [card["summary"] for card in second["cards"]]


def test_call_22_calls_run_in_parallel(client: FlaskClient) -> None:
    app = client.application
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: app.test_client().post(SERVICE, json=BASE).status_code, range(8)))
    assert answers == [200] * 8


def test_ver_4_an_authorization_header_is_ignored_by_an_open_service(client: FlaskClient) -> None:
    for header in ("Bearer e30.e30.x", "Basic eDp5", "junk"):
        assert client.post(SERVICE, json=BASE, headers={"Authorization": header}).status_code == 200


def test_fhir_2_and_safe_2_nothing_of_the_request_is_repeated(client: FlaskClient) -> None:
    marked = BASE | {"fhirServer": SERVER, "fhirAuthorization": AUTHORIZATION}
    for body in (marked, marked | {"hookInstance": "Marker^Name"}, marked | {"fhirAuthorization": "Marker^Name"}):
        text = post(client, body).get_data(as_text=True)
        assert TOKEN not in text
        assert "Marker" not in text


def _assert_refused(answer: TestResponse, status: int) -> None:
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, text
    assert answer.mimetype == "application/fhir+json"
    assert_operation_outcome(json.loads(text))
    assert not INSIDES.search(text), "ERR-5: nothing of the inside is told"
    assert answer.headers["Cache-Control"] == "no-store"
