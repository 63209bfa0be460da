"""The description for machines says what is true: every address, every status, bodies that pass its schemas."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.web.errors import STATUS
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, post, valid_call, without

pytestmark = pytest.mark.parametrize("client", ["whole service"], indirect=True)


@pytest.fixture
def description(client: FlaskClient) -> Any:
    return client.get("/openapi.json").get_json()


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
    assert {str(status) for status in STATUS.values()} <= {status for responses in posts for status in responses}


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
