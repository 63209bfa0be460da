"""A stand-in for an EHR's authorization server (SMART App Launch 2.2), for the sandbox only: it lets everybody in.

It keeps to the protocol where an app could go wrong (PKCE, redirect_uri, aud, one use of a code) and asks nobody who
they are. Codes and tokens live in memory, as long as the sandbox.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Blueprint, Response, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters
from werkzeug.wrappers import Response as AnyResponse

from cds_service.sandbox.chart_view import ListedPatient
from cds_service.sandbox.launch_context import LaunchContext

CLIENT_ID = "cytopenia-cds-sandbox"
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' {app}; frame-ancestors 'none'"
"""Choosing a patient is a form whose answer leads on to the app."""
_CODE_LIFE = timedelta(minutes=5)
_FOR_SIGNING: KeyParameters = {"alg": "ES256", "use": "sig"}


@dataclass(frozen=True)
class _Granted:
    context: LaunchContext
    scope: str
    challenge: str
    redirect_uri: str
    nonce: str | None
    expires_at: datetime


@dataclass
class AuthorizationServer:
    """The server of one sandbox; all URLs without a final slash."""

    url: str
    fhir_server: str
    app: str
    patients: Callable[[], Mapping[str, ListedPatient]]
    _key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", _FOR_SIGNING, auto_kid=True))
    _codes: dict[str, _Granted] = field(default_factory=dict)
    _refresh: dict[str, _Granted] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configuration(self) -> dict[str, object]:
        """What `.well-known/smart-configuration` says."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["authorization_code"],
            "scopes_supported": ["openid", "fhirUser", "launch", "launch/patient", "patient/*.rs", "online_access"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                "launch-ehr",
                "launch-standalone",
                "client-public",
                "context-ehr-patient",
                "permission-v2",
            ],
        }

    def authorize(self, asked: Mapping[str, str]) -> str | None:
        """Where the browser goes next; None when a patient has yet to be chosen.

        Raises:
            ValueError: the request isn't one that may be answered by a redirect; the text says why.
        """
        redirect_uri = asked.get("redirect_uri", "")
        if asked.get("client_id") != CLIENT_ID or redirect_uri != f"{self.app}/smart/callback":
            raise ValueError("client_id or redirect_uri is not the registered one")
        back = {"state": asked.get("state", "")}
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return _to(redirect_uri, back | {"error": "invalid_request"})
        if asked.get("aud") != self.fhir_server or not asked.get("code_challenge"):
            return _to(redirect_uri, back | {"error": "invalid_request"})
        context = self._context(asked)
        if context is None:
            return None
        if context.answer == "refuse":
            return _to(redirect_uri, back | {"error": "access_denied"})
        code = str(generate_token(40))
        granted = _Granted(
            context, _narrowed(asked.get("scope", ""), context), asked["code_challenge"], redirect_uri,
            asked.get("nonce"), datetime.now(UTC) + _CODE_LIFE,
        )  # fmt: skip
        with self._lock:
            self._codes[code] = granted
        return _to(redirect_uri, back | {"code": code})

    def token(self, form: Mapping[str, str]) -> tuple[int, dict[str, object]]:
        """The answer of the token endpoint: status and document."""
        if form.get("grant_type") == "refresh_token":
            with self._lock:
                granted = self._refresh.get(form.get("refresh_token", ""))
            return (200, self._tokens(granted)) if granted else (400, {"error": "invalid_grant"})
        with self._lock:
            granted = self._codes.pop(form.get("code", ""), None)
        if (
            granted is None
            or granted.expires_at < datetime.now(UTC)
            or granted.redirect_uri != form.get("redirect_uri")
        ):
            return 400, {"error": "invalid_grant"}
        if create_s256_code_challenge(form.get("code_verifier", "")) != granted.challenge:  # type: ignore[no-untyped-call]
            return 400, {"error": "invalid_grant"}
        told = {"appContext": granted.context.app_context} if granted.context.app_context else {}
        return 200, self._tokens(granted) | self._identity(granted) | told

    def keys(self) -> dict[str, object]:
        """The public keys of the id_token."""
        return {"keys": [self._key.as_dict(private=False)]}

    def _context(self, asked: Mapping[str, str]) -> LaunchContext | None:
        if asked.get("launch"):
            return LaunchContext.read(asked["launch"])
        chosen = asked.get("patient", "")
        return LaunchContext(chosen) if chosen in self.patients() else None

    def _tokens(self, granted: _Granted) -> dict[str, object]:
        return self._refreshing(granted) | {
            "access_token": str(generate_token(40)),
            "token_type": "Bearer",
            "expires_in": granted.context.seconds,
            "scope": granted.scope,
            "patient": granted.context.patient,
            "need_patient_banner": True,
        }

    def _refreshing(self, granted: _Granted) -> dict[str, object]:
        if granted.context.answer == "once":
            return {}
        refresh = str(generate_token(40))
        with self._lock:
            self._refresh[refresh] = granted
        return {"refresh_token": refresh}

    def _identity(self, granted: _Granted) -> dict[str, object]:
        if "openid" not in granted.scope.split():
            return {}
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.url, "aud": CLIENT_ID, "sub": "example", "fhirUser": f"{self.fhir_server}/Practitioner/example",
            "iat": now, "exp": now + 300, "nonce": granted.nonce,
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "JWT", "kid": self._key.kid}
        return {"id_token": jwt.encode(header, claims, self._key, algorithms=["ES256"])}


def create_authorization_blueprint(server: AuthorizationServer) -> Blueprint:
    """The server's endpoints; mount it where its `url` says."""
    blueprint = Blueprint("authorization", __name__)

    @blueprint.get("/authorize")
    def authorize() -> AnyResponse | tuple[str, int] | str:
        asked = request.args.to_dict()
        try:
            where = server.authorize(asked)
        except ValueError as error:
            return render_template("sandbox/trouble.html", patients={}, groups=(), current="", trouble=str(error)), 400
        if where is not None:
            return redirect(where, 302)
        return render_template("sandbox/choose.html", listed=server.patients().values(), asked=asked)

    @blueprint.post("/token")
    def token() -> Response:
        status, document = server.token(request.form.to_dict())
        return _json(document, status)

    @blueprint.get("/jwks")
    def jwks() -> Response:
        return _json(server.keys())

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY.format(app=server.app)
        return response

    return blueprint


def registration_here(url: str) -> str:
    """How the trend app is registered with the sandbox at this URL, as a file of registrations."""
    return f'[[registration]]\nfhir_server = "{url}/sandbox/fhir"\nclient_id = "{CLIENT_ID}"\nidentity = true\n'


def _narrowed(scope: str, context: LaunchContext) -> str:
    if context.answer != "narrow":
        return scope
    return " ".join(one for one in scope.split() if "Observation" not in one)


def _to(redirect_uri: str, told: Mapping[str, str]) -> str:
    return f"{redirect_uri}?{urlencode(told)}"


def _json(document: Mapping[str, object], status: int = 200) -> Response:
    return Response(
        orjson.dumps(document), status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
