"""The file of EHRs at which the app is registered (CDS_SMART_REGISTRATIONS), read strictly once at start.

Knows no HTTP. A message names the file's member and repeats no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cds_service.client_authentication.signing import KeyUnusable, PrivateKey, read_private_key
from cds_service.outbound.urls import HttpUrl
from cds_service.site_files import SiteFileInvalid, read_site_file


class RegistrationsInvalid(ValueError):
    """The file can't be used; the message is one line that names the member."""


def _check_base(text: str) -> str:
    try:
        url = HttpUrl.parse(text)
    except ValueError:
        raise ValueError("must be an absolute http(s) URL without user name and fragment") from None
    if url.query:
        raise ValueError("must be a base URL, without a query")
    return text.rstrip("/")


def _check_origin(text: str) -> str:
    if HttpUrl.parse(_check_base(text)).segments:
        raise ValueError("must be an origin: scheme://host[:port], without a path")
    return text


Base = Annotated[str, AfterValidator(_check_base)]
Origin = Annotated[str, AfterValidator(_check_origin)]


class Registration(BaseModel):
    """The app as one EHR knows it.

    `fhir_server` is the EHR's `iss`. `authorization_servers` are further bases, beside its own host, at which its
    authorization server may be. A client that is public has neither secret nor key. `embedded_by` are the origins
    whose pages may show the app in a frame.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    fhir_server: Base
    client_id: Annotated[str, Field(min_length=1, max_length=500)]
    client_secret_file: str | None = None
    private_key_file: str | None = None
    authorization_servers: list[Base] = []
    embedded_by: list[Origin] = []
    identity: bool = False
    """Whether to ask who the user is (openid fhirUser) and check the answer."""
    offline: bool = False
    """Whether to ask for a refresh token that outlives the user's session."""

    @model_validator(mode="after")
    def _check_one_way(self) -> "Registration":
        if self.client_secret_file is not None and self.private_key_file is not None:
            raise ValueError("has client_secret_file and private_key_file; keep one, or none for a public client")
        return self


@dataclass(frozen=True)
class Registered:
    """A registration with what its files hold."""

    registration: Registration
    secret: str | None = field(default=None, repr=False)
    key: PrivateKey | None = field(default=None, repr=False)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    registration: Annotated[list[Registration], Field(min_length=1)]


def load_registrations(path: Path) -> Mapping[str, Registered]:
    """Read the file; the registrations by FHIR server.

    Raises:
        RegistrationsInvalid: it can't be read, a member is unknown, missing or wrong, or a server stands there twice.
    """
    try:
        listed = read_site_file(path, _File).registration
    except SiteFileInvalid as error:
        raise _invalid(path, str(error)) from None
    found: dict[str, Registered] = {}
    for number, registration in enumerate(listed, 1):
        if registration.fhir_server in found:
            raise _invalid(path, f"registration[{number}].fhir_server: stands there more than once")
        found[registration.fhir_server] = _with_files(path, number, registration)
    return found


def _with_files(path: Path, number: int, registration: Registration) -> Registered:
    secret = key = None
    try:
        if registration.client_secret_file is not None:
            secret = (path.parent / registration.client_secret_file).read_text(encoding="utf-8").strip()
        if registration.private_key_file is not None:
            key = read_private_key((path.parent / registration.private_key_file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise _invalid(path, f"registration[{number}]: its secret or key file can't be read") from None
    except KeyUnusable:
        raise _invalid(path, f"registration[{number}].private_key_file: no private JWK with kid and alg") from None
    return Registered(registration, secret, key)


def _invalid(path: Path, message: str) -> RegistrationsInvalid:
    return RegistrationsInvalid(f"CDS_SMART_REGISTRATIONS: {path.name}: {message}.")
