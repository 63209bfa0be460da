"""The `launch` that the public CDS Hooks Sandbox asks the FHIR server for, before it lets a card's app be opened."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.sandbox.authorization_server import CLIENT_ID
from cds_service.sandbox.fhir_server.store import FhirStore
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import AUTHORIZATION_PATH, FHIR_PATH, add_authorization_server

BASE = "https://ehr.example.org"
LAUNCH = f"{FHIR_PATH}/_services/smart/Launch"
VERIFIER = "v" * 43


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    store = FhirStore(lambda: pytest.fail("nothing is stored"))
    add_authorization_server(app, BASE, load_index(fixture_folder()), store)
    return app.test_client()


def test_a_page_of_another_origin_may_ask(client: FlaskClient) -> None:
    asked = {"Origin": "https://sandbox.cds-hooks.org", "Access-Control-Request-Method": "POST"}
    answer = client.options(LAUNCH, headers=asked | {"Access-Control-Request-Headers": "content-type"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


def test_the_launch_leads_to_the_patients_token_with_the_cards_context(client: FlaskClient) -> None:
    parameters = {"patient": "amara-okafor", "appContext": "of-the-card", "smart_messaging_origin": BASE}
    told = client.post(LAUNCH, json={"launchUrl": f"{BASE}/smart/launch", "parameters": parameters})
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    callback = f"{BASE}/smart/callback"
    asked = {
        "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": callback, "state": "s", "scope": "launch",
        "aud": BASE + FHIR_PATH, "launch": json.loads(told.data)["launch_id"], "code_challenge": challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    went = client.get(f"{AUTHORIZATION_PATH}/authorize", query_string=asked)
    code = parse_qs(urlsplit(went.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": VERIFIER}
    tokens = json.loads(client.post(f"{AUTHORIZATION_PATH}/token", data=form).data)
    assert (tokens["patient"], tokens["appContext"]) == ("amara-okafor", "of-the-card")


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"parameters": []}', '{"parameters": {"patient": 7}}'])
def test_without_a_patient_there_is_nothing_to_launch(client: FlaskClient, body: str) -> None:
    answer = client.post(LAUNCH, data=body)
    assert answer.status_code == 400
    assert "patient" in json.loads(answer.data)["issue"][0]["diagnostics"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
