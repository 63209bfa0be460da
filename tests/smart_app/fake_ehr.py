"""An EHR on loopback: a FHIR server with the synthetic patients, an authorization server that does as it is told."""

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters
from werkzeug.serving import make_server

from cds_service.sandbox.fhir_server.routes import create_fhir_blueprint
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import filled_store, listening

TODAY = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
CLIENT = "synthetic-app"
FOR_SIGNING: KeyParameters = {"alg": "ES256", "use": "sig"}


@dataclass
class FakeEhr:
    """What the server says, to be changed by a test, and the token requests it got."""

    url: str
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", FOR_SIGNING, auto_kid=True))
    configuration: dict[str, Any] | None = None
    tells_oauth_uris: bool = False
    tokens: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    claims: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    """Form and headers of each token request."""
    refuses_data: bool = False

    @property
    def fhir(self) -> str:
        return f"{self.url}/fhir"

    def usual_configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "capabilities": ["launch-ehr", "permission-v2"],
        }

    def usual_tokens(self) -> dict[str, Any]:
        return {
            "access_token": "synthetic-access-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "launch patient/Observation.rs patient/Patient.rs",
            "patient": "ravi-namuna",
            "refresh_token": "synthetic-refresh-token",
        }

    def id_token(self, nonce: str | None, at: datetime) -> str:
        now = int(at.timestamp())
        claims: dict[str, Any] = {"iss": self.url, "aud": CLIENT, "sub": "x", "iat": now, "exp": now + 300}
        claims |= {"nonce": nonce} | self.claims
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key, algorithms=["ES256"])


def challenge_of(verifier: str) -> str:
    """PKCE S256, reckoned anew."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@contextmanager
def fake_ehr() -> Iterator[FakeEhr]:
    with listening("127.0.0.1", 0) as (listener, url):
        ehr = FakeEhr(url)
        host, port = listener.getsockname()
        server = make_server(host, port, _app(ehr), threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ehr
        server.shutdown()
        thread.join()
        server.server_close()


def _app(ehr: FakeEhr) -> Flask:
    app = Flask("fake-ehr")
    store = filled_store(load_index(fixture_folder()), TODAY.date())

    @app.before_request
    def refuse() -> Response | None:
        if ehr.refuses_data and request.path.startswith("/fhir/Observation"):
            return Response("no", 403)
        if ehr.tells_oauth_uris and request.path == "/fhir/metadata":
            return jsonify(_oauth_uris(ehr))
        return None

    @app.get("/fhir/.well-known/smart-configuration")
    def configuration() -> Response:
        if ehr.configuration is None:
            return jsonify(ehr.usual_configuration())
        return jsonify(ehr.configuration) if ehr.configuration else Response("no", 404)

    @app.post("/token")
    def token() -> tuple[Response, int]:
        ehr.asked.append((request.form.to_dict(), dict(request.headers)))
        return jsonify(ehr.usual_tokens() | ehr.tokens), ehr.token_status

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify({"keys": [ehr.key.as_dict(private=False)]})

    app.register_blueprint(create_fhir_blueprint(store), url_prefix="/fhir")
    return app


def _oauth_uris(ehr: FakeEhr) -> dict[str, Any]:
    uris = [
        {"url": "authorize", "valueUri": f"{ehr.url}/authorize"},
        {"url": "token", "valueUri": f"{ehr.url}/token"},
    ]
    extension = {
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": uris,
    }
    return {"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "security": {"extension": [extension]}}]}
