"""The file of trusted clients is read strictly; a message names the member and repeats nothing of the file."""

from pathlib import Path

import pytest

from cds_service.client_authentication.opening import Surroundings, open_authentication
from cds_service.client_authentication.trusted_clients import TrustedClient, TrustedClientsInvalid, load_trusted_clients
from cds_service.outbound.client import OutboundSettings
from tests.builders.client_authentication import MemoryUsedTokens
from tests.builders.client_tokens import ISSUER, JWKS_URL, NOW, PUBLIC_URL, ec_key, key_set, public_jwk, rsa_key

MARKER = "marker-word"
WHOLE = f"""
[[client]]
issuer = "{ISSUER}"
jwks_url = "{JWKS_URL}"
fhir_servers = ["https://ehr.example.org/fhir", "http://127.0.0.1:*/fhir"]
tenant = "north"

[[client]]
issuer = "https://sandbox.cds-hooks.org"
jwks_file = "sandbox.jwks.json"
jku = "https://sandbox.cds-hooks.org/.well-known/jwks.json"
"""
CLIENT = f'[[client]]\nissuer = "{ISSUER}"\n'
RIGHT = CLIENT + f'jwks_url = "{JWKS_URL}"\n'

REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "client: missing"),
    "no client": ("client = []", "client: "),
    "a table instead of a list": (f'[client]\nissuer = "{MARKER}"', "client: "),
    "no TOML": (f'[[client]]\nissuer = "{MARKER}', "not TOML (at line 2, column "),
    "a member twice": (RIGHT + f'issuer = "{MARKER}"', "not TOML (at line 4, column "),
    "an unknown member": (RIGHT + f'jwks_uri = "{MARKER}"', "client[1].jwks_uri: not a member known here"),
    "an unknown table": (RIGHT + f'[other]\nx = "{MARKER}"', "other: not a member known here"),
    "no issuer": (f'[[client]]\njwks_url = "{JWKS_URL}"', "client[1].issuer: missing"),
    "an empty issuer": (RIGHT.replace(ISSUER, ""), "client[1].issuer: "),
    "an issuer with spaces around": (RIGHT.replace(ISSUER, f" {MARKER}"), "client[1].issuer: must be printable text"),
    "an issuer with a control character": (RIGHT.replace(ISSUER, f"{MARKER}\\u0007"), "client[1].issuer: "),
    "an issuer that is a number": (RIGHT.replace(f'"{ISSUER}"', "7"), "client[1].issuer: "),
    "an issuer twice": (RIGHT + RIGHT, "client[1].issuer: stands there more than once"),
    "an issuer twice, told apart by claims alone": (
        RIGHT + 'tenant_claim = "a"\n' + RIGHT + 'tenant_claim = "b"',
        "client[1].issuer: stands there more than once",
    ),
    "an issuer twice, told apart by names alone": (
        RIGHT + 'tenant = "a"\n' + RIGHT + 'tenant = "b"',
        "client[1].issuer: stands there more than once",
    ),
    "no keys": (CLIENT, "client[1]: needs jwks_url or jwks_file, and not both"),
    "keys from two places": (RIGHT + f'jwks_file = "{MARKER}"', "client[1]: needs jwks_url or jwks_file, and not both"),
    "a jwks_url that is none": (CLIENT + f'jwks_url = "{MARKER}"', "client[1].jwks_url: must be an absolute http(s)"),
    "a jwks_url of a file": (CLIENT + f'jwks_url = "file:///{MARKER}"', "client[1].jwks_url: must be an absolute"),
    "a jwks_url with a password": (CLIENT + f'jwks_url = "https://u:{MARKER}@x.org/"', "client[1].jwks_url: must be"),
    "a jwks_url over plain http": (CLIENT + f'jwks_url = "http://{MARKER}.org/x"', "client[1].jwks_url: must be https"),
    "a jku that is none": (RIGHT + f'jku = "{MARKER}"', "client[1].jku: must be an absolute http(s) URL"),
    "an empty jwks_file": (CLIENT + 'jwks_file = ""', "client[1].jwks_file: "),
    "fhir_servers as text": (RIGHT + f'fhir_servers = "{MARKER}"', "client[1].fhir_servers: "),
    "a server that is no URL": (RIGHT + f'fhir_servers = ["{MARKER}"]', "client[1].fhir_servers[1]: must be the base"),
    "a server with a password": (
        RIGHT + f'fhir_servers = ["https://ehr.example.org/fhir", "https://u:{MARKER}@ehr.example.org/fhir"]',
        "client[1].fhir_servers[2]: must be the base URL of a FHIR server",
    ),
    "a server with a query": (RIGHT + f'fhir_servers = ["https://x.org/fhir?{MARKER}"]', "client[1].fhir_servers[1]"),
    "every server": (RIGHT + 'fhir_servers = ["*"]', "client[1].fhir_servers[1]: must be the base URL"),
    "a tenant with spaces": (RIGHT + f'tenant = "{MARKER} x"', "client[1].tenant: "),
    "an empty tenant": (RIGHT + 'tenant = ""', "client[1].tenant: "),
    "the second client": (RIGHT + f'[[client]]\nissuer = "other"\nx = "{MARKER}"', "client[2].x: not a member known"),
}


def _load(folder: Path, text: str, allow_http: bool = False) -> tuple[TrustedClient, ...]:
    path = folder / "clients.toml"
    path.write_text(text + "\n", encoding="utf-8")
    return load_trusted_clients(path, allow_http)


def test_the_file_as_documented(tmp_path: Path) -> None:
    ehr, sandbox = _load(tmp_path, WHOLE)
    assert (ehr.issuer, ehr.jwks_url, ehr.registered_jku, ehr.tenant) == (ISSUER, JWKS_URL, JWKS_URL, "north")
    assert ehr.fhir_servers == ["https://ehr.example.org/fhir", "http://127.0.0.1:*/fhir"]
    assert (sandbox.jwks_file, sandbox.tenant, sandbox.fhir_servers) == ("sandbox.jwks.json", None, [])
    assert sandbox.registered_jku == "https://sandbox.cds-hooks.org/.well-known/jwks.json"


@pytest.mark.parametrize("which", REFUSED)
def test_what_is_wrong_is_named_and_not_repeated(tmp_path: Path, which: str) -> None:
    text, said = REFUSED[which]
    with pytest.raises(TrustedClientsInvalid) as refused:
        _load(tmp_path, text)
    message = str(refused.value)
    assert message.startswith(f"CDS_TRUSTED_CLIENTS: clients.toml: {said}")
    assert message.endswith(".")
    assert "\n" not in message
    assert MARKER not in message
    assert str(tmp_path) not in message


def test_a_file_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrustedClientsInvalid, match=r"clients.toml: the file can't be read"):
        load_trusted_clients(tmp_path / "clients.toml")
    (tmp_path / "clients.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TrustedClientsInvalid, match="save it as UTF-8"):
        load_trusted_clients(tmp_path / "clients.toml")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9"])
def test_keys_over_plain_http_are_for_this_machine_or_by_permission(tmp_path: Path, host: str) -> None:
    assert _load(tmp_path, CLIENT + f'jwks_url = "http://{host}/jwks.json"')
    assert _load(tmp_path, CLIENT + 'jwks_url = "http://ehr.example.org/jwks.json"', allow_http=True)


def _open(folder: Path) -> None:
    around = Surroundings(OutboundSettings(), lambda *_: None, lambda: NOW, folder)
    text = RIGHT + f'[[client]]\nissuer = "{MARKER}"\njwks_file = "keys.json"'
    open_authentication(_load(folder, text), PUBLIC_URL, MemoryUsedTokens(), around)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read as a JWK Set"),
        (b"{", "can't be read as a JWK Set"),
        (b'{"keys": []}', "holds no usable public key"),
        (key_set(public_jwk(rsa_key("weak", 1024))), "holds no usable public key"),
    ],
)
def test_a_key_file_without_usable_keys_stops_the_start(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "keys.json").write_bytes(content)
    with pytest.raises(TrustedClientsInvalid) as refused:
        _open(tmp_path)
    assert str(refused.value).startswith(f"CDS_TRUSTED_CLIENTS: client[2].jwks_file: {said}")
    assert MARKER not in str(refused.value)


def test_a_key_file_lies_where_the_file_of_clients_does(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(public_jwk(ec_key())))
    _open(tmp_path)
