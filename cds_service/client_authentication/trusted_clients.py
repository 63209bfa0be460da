"""The file of trusted clients (CDS_TRUSTED_CLIENTS), read strictly once at start. Knows no token and fetches nothing.

A message names the file's member and repeats no value.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cds_service.cds_hooks.clients import CdsClient
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.urls import HttpUrl
from cds_service.site_files import SiteFileInvalid, read_site_file


class TrustedClientsInvalid(ValueError):
    """The file can't be used; the message is one line that names the member."""


def _check_printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable text without spaces at its ends")
    return text


def _check_url(text: str) -> str:
    try:
        HttpUrl.parse(text)
    except ValueError:
        raise ValueError("must be an absolute http(s) URL without user name and fragment") from None
    return text


def _check_server(text: str) -> str:
    try:
        AllowedServers.parse([text])
    except ValueError:
        raise ValueError("must be the base URL of a FHIR server (the port may be *), without user and query") from None
    return text


Url = Annotated[str, AfterValidator(_check_url)]


class TrustedClient(BaseModel):
    """One client: its `iss`, where its public keys are, its FHIR servers, the site's own name for its part (tenant).

    Of `jwks_url` and `jwks_file` there is one. A token's `jku` must be the client's `jku`, by default its `jwks_url`.
    Where one issuer speaks for several organisations, each is a client, told by the `tenant` that its tokens claim.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    issuer: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_printable)]
    jwks_url: Url | None = None
    jwks_file: Annotated[str, Field(min_length=1)] | None = None
    jku: Url | None = None
    fhir_servers: list[Annotated[str, AfterValidator(_check_server)]] = []
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    tenant_claim: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_printable)] | None = None

    @model_validator(mode="after")
    def _check_keys(self) -> "TrustedClient":
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("needs jwks_url or jwks_file, and not both")
        return self

    @property
    def client(self) -> CdsClient:
        """What the rest of the service knows of it."""
        return CdsClient(self.issuer, self.tenant)

    @property
    def registered_jku(self) -> str | None:
        """What a token's `jku` must be, if it has one."""
        return self.jku or self.jwks_url


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    client: Annotated[list[TrustedClient], Field(min_length=1)]


def load_trusted_clients(path: Path, allow_http: bool = False) -> tuple[TrustedClient, ...]:
    """Read the file. `allow_http` is for test setups: keys over plain http from other hosts than this one.

    Raises:
        TrustedClientsInvalid: it can't be read, a member is unknown, missing or wrong, or an issuer stands there twice.
    """
    try:
        clients = read_site_file(path, _File).client
    except SiteFileInvalid as error:
        raise _invalid(path, str(error)) from None
    for number, client in enumerate(clients, 1):
        if not _is_told_apart(client, (*clients[: number - 1], *clients[number:])):
            raise _invalid(
                path,
                f"client[{number}].issuer: stands there more than once; clients of one issuer need a tenant and a "
                "tenant_claim each",
            )
        if not allow_http and _is_exposed(client.jwks_url):
            raise _invalid(path, f"client[{number}].jwks_url: must be https; plain http lets others exchange the keys")
    return tuple(clients)


def _is_told_apart(client: TrustedClient, others: tuple[TrustedClient, ...]) -> bool:
    """Whether its tokens, and its records, are told apart from those of every other client."""
    return all(
        (one.issuer, one.tenant_claim) != (client.issuer, client.tenant_claim) and one.client != client.client
        for one in others
    )


def _is_exposed(jwks_url: str | None) -> bool:
    """Whether keys come over plain http from another machine."""
    url = HttpUrl.parse(jwks_url) if jwks_url else None
    return url is not None and url.scheme == "http" and not url.is_loopback


def _invalid(path: Path, message: str) -> TrustedClientsInvalid:
    return TrustedClientsInvalid(f"CDS_TRUSTED_CLIENTS: {path.name}: {message}.")
