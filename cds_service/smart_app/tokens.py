"""Codes and refresh tokens for access tokens, at the token endpoint (RFC 6749; SMART App Launch 2.2). Keeps nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.smart_app.authorization import covers
from cds_service.smart_app.refusals import LaunchFailed, Trouble
from cds_service.smart_app.registrations import Registered
from cds_service.smart_app.smart_configuration import check_endpoint, text_in

_USUAL_LIFE = timedelta(minutes=5)
"""Of an access token whose answer doesn't say."""
_LONGEST_LIFE = timedelta(hours=12)
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Grant:
    """What the EHR granted. The tokens never leave this process but sealed, and are not shown by repr."""

    access_token: str = field(repr=False)
    patient_id: str
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    need_patient_banner: bool = True


@dataclass(frozen=True)
class TokenEndpoint:
    """The token endpoint of one EHR, and how the app proves itself there: by nothing, a secret or a key."""

    http: HttpClient
    url: str
    registered: Registered

    def redeem(self, code: str, verifier: str, redirect_uri: str, now: datetime, deadline: Deadline) -> Grant:
        """Exchange a code.

        Raises:
            LaunchFailed: the code isn't taken, what is granted isn't enough, or there is no usable answer.
        """
        form = prepare_token_request("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)
        answer = self._post(str(form), deadline, spent=Trouble.STALE)
        return _grant(answer, now, text_in(answer, "patient"))

    def renew(self, grant: Grant, now: datetime, deadline: Deadline) -> Grant:
        """A new access token; the patient stays.

        Raises:
            LaunchFailed: it can't be renewed.
        """
        if grant.refresh_token is None:
            raise LaunchFailed(Trouble.EXPIRED)
        form = prepare_token_request("refresh_token", refresh_token=grant.refresh_token)
        answer = self._post(str(form), deadline, spent=Trouble.EXPIRED)
        if text_in(answer, "patient") not in {None, grant.patient_id}:
            raise LaunchFailed(Trouble.EXPIRED)  # never another patient's chart in an open page
        renewed = {"scope": "patient/Observation.rs", "refresh_token": grant.refresh_token} | dict(answer)
        return _grant(renewed, now, grant.patient_id)

    def _post(self, form: str, deadline: Deadline, spent: Trouble) -> Mapping[str, object]:
        """The endpoint's answer; `spent` is what it means that the code or refresh token isn't taken any more."""
        url = check_endpoint(self.url, self.registered.registration)
        _, headers, body = self._proof().prepare(  # type: ignore[no-untyped-call]
            "POST", self.url, {"Accept": "application/json", "Content-Type": _FORM, "User-Agent": "cytopenia-cds"}, form
        )
        try:
            answer = self.http.send("POST", url, headers, body.encode("ascii"), deadline)
            document = decode_object(answer.body)
        except (CallFailed, RequestInvalid, UnicodeEncodeError):
            raise LaunchFailed(Trouble.EHR_UNAVAILABLE) from None
        if answer.status == 200:
            return document
        error = str(document.get("error"))
        raise LaunchFailed(spent if error == "invalid_grant" else _TROUBLE.get(error, Trouble.EHR_UNAVAILABLE))

    def _proof(self) -> ClientAuth:
        registered = self.registered
        client_id = registered.registration.client_id
        if registered.key is not None:
            key = registered.key
            signed = PrivateKeyJWT(self.url, headers={"kid": key.kid, "typ": "JWT"}, alg=key.alg)
            return ClientAuth(client_id, key, signed)
        return ClientAuth(client_id, registered.secret, "client_secret_basic" if registered.secret else "none")


def _grant(answer: Mapping[str, object], now: datetime, patient_id: str | None) -> Grant:
    access_token, token_type = text_in(answer, "access_token"), text_in(answer, "token_type") or ""
    if access_token is None or token_type.lower() != "bearer":
        raise LaunchFailed(Trouble.EHR_UNAVAILABLE)
    if not covers(text_in(answer, "scope") or ""):
        raise LaunchFailed(Trouble.SCOPE)
    if patient_id is None:
        raise LaunchFailed(Trouble.NO_PATIENT)
    return Grant(
        access_token=access_token,
        patient_id=patient_id,
        expires_at=now + _life(answer.get("expires_in")),
        refresh_token=text_in(answer, "refresh_token"),
        id_token=text_in(answer, "id_token"),
        need_patient_banner=answer.get("need_patient_banner") is not False,
    )


def _life(seconds: object) -> timedelta:
    """Some servers send the number as text."""
    try:
        told = int(seconds) if isinstance(seconds, int | str) and not isinstance(seconds, bool) else 0
    except ValueError:
        told = 0
    return min(timedelta(seconds=told), _LONGEST_LIFE) if 0 < told < 10**9 else _USUAL_LIFE


_TROUBLE = {
    "invalid_scope": Trouble.SCOPE,
    "access_denied": Trouble.DENIED,
    "invalid_client": Trouble.EHR_REFUSED,
    "unauthorized_client": Trouble.EHR_REFUSED,
}
