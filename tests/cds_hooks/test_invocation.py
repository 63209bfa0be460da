"""A request body to a `CdsRequest`: what is kept, what is passed over, how a refusal reads."""

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.request import AccessToken, CdsRequest, PatientViewContext
from cds_service.cds_hooks.strict_json import decode_part

BODY: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
    "context": {"userId": "PractitionerRole/A2340113", "patientId": "1288992", "encounterId": "89284"},
    "fhirServer": "https://fhir.ehr.example.org:8443/fhir/",
    "fhirAuthorization": {
        "access_token": "opaque.token~+/=",
        "token_type": "bearer",
        "expires_in": "soon",
        "scope": "patient/Observation.rs",
        "subject": "cds-service4",
        "patient": "Patient/1288992",
    },
    "prefetch": {"patient": None, "counts": {"resourceType": "Bundle"}},
}


def _parse(**members: Any) -> CdsRequest:
    return parse_request(json.dumps(BODY | members).encode(), "patient-view")


def test_a_full_request_is_read_as_sent() -> None:
    request = _parse()
    assert request.hook == "patient-view"
    assert request.hook_instance == BODY["hookInstance"].lower(), "a UUID is the same in any letter case"
    assert request.context == PatientViewContext("PractitionerRole/A2340113", "1288992", "89284")
    assert request.context.user_type == "PractitionerRole"
    assert request.fhir_server == "https://fhir.ehr.example.org:8443/fhir"
    prefetch = {key: decode_part(part) for key, part in request.prefetch.items() if isinstance(part, Raw)}
    assert prefetch == BODY["prefetch"], "a key that is null stays one that is null"
    authorization = request.fhir_authorization
    assert authorization is not None
    assert authorization.access_token.reveal() == "opaque.token~+/="
    assert (authorization.scope, authorization.subject) == ("patient/Observation.rs", "cds-service4")
    assert authorization.patient == "1288992"


def test_what_is_optional_may_be_absent() -> None:
    sparse = {name: BODY[name] for name in ("hook", "hookInstance")}
    context = {"userId": "Patient/1", "patientId": "1"}
    request = parse_request(json.dumps(sparse | {"context": context}).encode(), "patient-view")
    assert request.fhir_server is None
    assert request.fhir_authorization is None
    assert request.context.encounter_id is None
    assert request.prefetch == {}


def test_numbers_in_prefetch_are_exact() -> None:
    body = json.dumps(BODY | {"prefetch": {"counts": {"value": 0}}}).replace(
        '"value": 0', '"value": 3.9600000000000004'
    )
    counts = parse_request(body.encode(), "patient-view").prefetch["counts"]
    assert isinstance(counts, Raw)
    assert decode_part(counts) == {"value": Decimal("3.9600000000000004")}


@pytest.mark.parametrize(
    "authorization",
    [{}, {"access_token": ""}, {"access_token": None}, {"access_token": "t", "token_type": "mac"}],
)
def test_an_authorization_that_cannot_be_used_is_none(authorization: dict[str, Any]) -> None:
    assert _parse(fhirAuthorization=authorization).fhir_authorization is None


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"hook": "order-sign"}, "'hook' must be 'patient-view'"),
        ({"hookInstance": 7}, "'hookInstance' must be a string"),
        ({"hookInstance": "x"}, "'hookInstance' must be a UUID"),
        ({"context": None}, "'context' is missing"),
        ({"context": []}, "'context' must be an object"),
        ({"context": {"userId": "a"}}, "'context.patientId' is missing"),
        ({"context": {"patientId": "a"}}, "'context.userId' is missing"),
        ({"context": {"userId": "a/b/c", "patientId": "a"}}, "Type/id"),
        ({"context": {"userId": "a", "patientId": "Patient/a"}}, "without 'Patient/'"),
        ({"context": {"userId": "a", "patientId": "a", "encounterId": "E/1"}}, "without 'Encounter/'"),
        ({"prefetch": []}, "'prefetch' must be an object"),
        ({"fhirServer": "ftp://x"}, "'fhirServer' must be the http"),
        ({"fhirServer": "https://" + "x" * 2048}, "'fhirServer' must be the http"),
        ({"fhirAuthorization": {"access_token": "a b"}}, "'fhirAuthorization.access_token'"),
        ({"fhirAuthorization": {"access_token": "a", "patient": "other"}}, "'fhirAuthorization.patient'"),
        ({"fhirAuthorization": {"access_token": "a", "scope": ["x"]}}, "'fhirAuthorization.scope' must be a string"),
    ],
)
def test_a_refusal_names_the_member(members: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        _parse(**members)
    assert named in refused.value.message


def test_an_access_token_is_not_shown_or_stored_by_accident() -> None:
    token = AccessToken("secret-7f3a")
    request = _parse()
    assert "opaque" not in f"{request} {request!r} {request.fhir_authorization}"
    assert "secret" not in f"{token} {token!r}"
    with pytest.raises(TypeError):
        pickle.dumps(token)


def test_a_user_without_type_has_none() -> None:
    assert _parse(context=BODY["context"] | {"userId": "u1"}).context.user_type == ""
