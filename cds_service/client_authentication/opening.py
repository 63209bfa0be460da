"""From the list of trusted clients to the door: each client with its keys. Fetches nothing yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cds_service.client_authentication.authentication import ClientAuthentication, KnownClient
from cds_service.client_authentication.key_sources import FetchedKeys, FileKeys, KeySource, Tell, download_key_set
from cds_service.client_authentication.trusted_clients import TrustedClient, TrustedClientsInvalid
from cds_service.client_authentication.used_tokens import UsedTokens
from cds_service.outbound.client import HttpClient, OutboundSettings
from cds_service.outbound.urls import HttpUrl

MAX_KEY_SET_BYTES = 256 * 1024


@dataclass(frozen=True)
class Surroundings:
    """What the door needs of the program: how to call others, how to tell, what time it is.

    `folder` is where the file of trusted clients lies; a `jwks_file` in it is named from there.
    """

    outbound: OutboundSettings
    tell: Tell
    clock: Callable[[], datetime]
    folder: Path


def open_authentication(
    trusted: Sequence[TrustedClient], public_url: str, used_tokens: UsedTokens, around: Surroundings
) -> ClientAuthentication:
    """The door for these clients; may be opened before a process forks.

    Raises:
        TrustedClientsInvalid: a client's key file can't be used, or holds no usable key.
    """
    http = HttpClient(around.outbound)
    known = {
        (client.issuer, client.tenant_claim): KnownClient(
            client.client, _keys_of(client, number, http, around), client.registered_jku
        )
        for number, client in enumerate(trusted, 1)
    }
    return ClientAuthentication(known, public_url, used_tokens, around.clock)


def _keys_of(client: TrustedClient, number: int, http: HttpClient, around: Surroundings) -> KeySource:
    if client.jwks_url is not None:
        url = HttpUrl.parse(client.jwks_url)
        return FetchedKeys(lambda: download_key_set(http, url), client.issuer, around.tell)
    try:
        keys = FileKeys(around.folder / str(client.jwks_file), client.issuer, around.tell)
    except (OSError, ValueError):
        raise _unusable(number, "can't be read as a JWK Set (JSON with a list 'keys')") from None
    if not keys.count:
        raise _unusable(number, "holds no usable public key (RSA of 2048 bits or more, or EC, with a kid)")
    return keys


def _unusable(number: int, message: str) -> TrustedClientsInvalid:
    return TrustedClientsInvalid(f"CDS_TRUSTED_CLIENTS: client[{number}].jwks_file: {message}.")
