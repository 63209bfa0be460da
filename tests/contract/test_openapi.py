"""The description for machines says what is true: every address, status, member and limit, and bodies that pass."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from cds_service.cds_hooks import feedback_report, invocation
from cds_service.cds_hooks.cards import SUMMARY_LIMIT
from cds_service.cds_hooks.members import FHIR_ID
from cds_service.web.errors import STATUS
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden, post, valid_call, without
from tests.fuzz.fixture_requests import fixture_requests

pytestmark = pytest.mark.parametrize("client", ["whole service"], indirect=True)
GRANTED = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y", "patient": ""}
FULL_CALL = valid_call(fhirServer="https://ehr.example.org/fhir", fhirAuthorization=GRANTED) | {
    "context": {"userId": "Practitioner/p", "patientId": "synthetic-1", "encounterId": "e"}
}
REASON = {"code": "a", "system": "https://example.org", "display": "A"}
FULL_REPORT = {"feedback": [accepted(), overridden(overrideReason={"reason": REASON, "userComment": "known"})]}


@pytest.fixture
def description(client: FlaskClient) -> Any:
    return client.get("/openapi.json").get_json()


class Watched(dict[str, Any]):
    """An object that remembers, in `asked`, which of its members were read."""

    def __init__(self, value: dict[str, Any], asked: set[str], path: str = "") -> None:
        super().__init__({name: _watched(member, asked, f"{path}.{name}") for name, member in value.items()})
        self._asked = asked
        self._path = path

    def get(self, name: str, default: Any = None) -> Any:
        """The member."""
        self._asked.add(f"{self._path}.{name}")
        return super().get(name, default)


def _watched(value: Any, asked: set[str], path: str) -> Any:
    if isinstance(value, list):
        return [_watched(item, asked, path) for item in value]
    return Watched(value, asked, path) if isinstance(value, dict) else value


def _members(schema: Any, schemas: Any, path: str = "") -> Iterator[str]:
    """The paths of all members that a schema describes."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "items" in schema:
        yield from _members(schema["items"], schemas, path)
    for part in schema.get("anyOf", ()):
        yield from _members(part, schemas, path)
    for name, member in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _members(member, schemas, f"{path}.{name}")


def _schema(description: Any, name: str) -> OAS31Validator:
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": description["components"]})


def test_it_is_valid(client: FlaskClient, description: Any) -> None:  # noqa: ARG001
    validate(description)


def test_every_address_is_described_and_no_other(client: FlaskClient, description: Any) -> None:
    routes = {
        (re.sub(r"<service_id>", "{id}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in description["paths"].items() for method in set(item) - {"parameters"}}
    assert described == routes
    assert description["info"]["version"] != "0"


def test_every_refusal_is_described(description: Any) -> None:
    posts = [item["post"]["responses"] for item in description["paths"].values() if "post" in item]
    mentioned = {status for responses in posts for status in responses}
    assert mentioned == {str(status) for status in STATUS.values()} | {"200", "405", "500"}


def test_what_needs_a_token_says_so(description: Any) -> None:
    for path, item in description["paths"].items():
        for method in set(item) - {"parameters"}:
            closed = path.startswith("/cds-services")
            assert (item[method].get("security") == [{"client": []}]) is closed
            assert ("401" in item[method]["responses"]) is closed


@pytest.mark.parametrize(
    ("name", "module", "decoder", "body"),
    [("Call", invocation, "decode_call", FULL_CALL), ("Feedback", feedback_report, "decode_object", FULL_REPORT)],
)
def test_the_members_described_are_those_that_are_read(
    monkeypatch: pytest.MonkeyPatch,
    client: FlaskClient,
    description: Any,
    name: str,
    module: Any,
    decoder: str,
    body: Any,
) -> None:
    asked: set[str] = set()
    decode = getattr(module, decoder)
    monkeypatch.setattr(module, decoder, lambda data: Watched(decode(data), asked))
    assert post(client, body, SERVICE if name == "Call" else FEEDBACK).status_code in {200, 412}
    schemas = description["components"]["schemas"]
    read = {path for path in asked if not path.startswith(".prefetch.")}  # FHIR, which FHIR describes
    unread = {".fhirAuthorization.expires_in"}  # the service keeps no token, so it need not know how long one holds
    assert set(_members(schemas[name], schemas)) - unread == read


def test_limits_are_those_of_the_code(client: FlaskClient, description: Any) -> None:
    schemas = description["components"]["schemas"]
    entry, override = schemas["FeedbackEntry"]["properties"], schemas["OverrideReason"]["properties"]
    assert schemas["Feedback"]["properties"]["feedback"]["maxItems"] == feedback_report.MAX_ENTRIES
    assert entry["acceptedSuggestions"]["maxItems"] == feedback_report.MAX_SUGGESTIONS
    assert override["userComment"]["maxLength"] == feedback_report.MAX_COMMENT_LENGTH
    assert {one["maxLength"] for one in schemas["Reason"]["properties"].values()} == {feedback_report.MAX_CODING_LENGTH}
    assert schemas["Card"]["properties"]["summary"]["maxLength"] == SUMMARY_LIMIT - 1
    assert schemas["Context"]["properties"]["patientId"]["pattern"] == f"^{FHIR_ID.pattern}$"
    served = [one["id"] for one in client.get("/cds-services").get_json()["services"]]
    assert description["components"]["parameters"]["ServiceId"]["schema"]["enum"] == served


def test_what_the_fixtures_send_and_get_passes_its_schemas(client: FlaskClient, description: Any) -> None:
    call, answer, refusal = (_schema(description, name) for name in ("Call", "Answer", "OperationOutcome"))
    shown = 0
    for body in fixture_requests().values():
        call.validate(body)
        answered = client.post(SERVICE, data=json.dumps(body), content_type="application/json")
        told = answered.get_json(force=True)
        (answer if answered.status_code == 200 else refusal).validate(told)
        shown += bool(told.get("cards"))
    assert shown > 50
    _schema(description, "Discovery").validate(client.get("/cds-services").get_json())
    _schema(description, "Feedback").validate(FULL_REPORT)
    for path in ("/livez", "/readyz"):
        _schema(description, "State").validate(client.get(path).get_json())


def test_every_reference_leads_somewhere(description: Any) -> None:
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(description))):
        part = description
        for name in reference.split("/"):
            part = part[name]


@pytest.mark.parametrize(
    ("url", "body"), [(SERVICE, valid_call()), (FEEDBACK, {"feedback": [accepted()]})], ids=["Call", "Feedback"]
)
def test_what_the_schema_requires_is_what_is_refused_without(
    client: FlaskClient, description: Any, url: str, body: dict[str, Any]
) -> None:
    schema = description["components"]["schemas"]["Call" if url == SERVICE else "Feedback"]
    assert post(client, body, url).status_code == 200
    for name in schema["required"]:
        assert post(client, without(body, name), url).status_code == 400
