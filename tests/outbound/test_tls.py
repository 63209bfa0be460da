"""TLS: a private CA by setting, nobody else's certificate, and a handshake that hangs is cut off."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import Answer, HttpClient, OutboundSettings
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.errors import CallFailed
from cds_service.outbound.scope import open_scope

serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
trustme = pytest.importorskip("trustme")

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: Any, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def port(authority: Any) -> Iterator[int]:
    """A TLS server for `localhost` that drips what is asked of it as a drip."""
    with _tls_server(authority) as port:
        yield port


@contextlib.contextmanager
def _tls_server(authority: Any, clients: Any = None) -> Iterator[int]:
    """With `clients`, the authority whose certificates it asks of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
                connection = context.wrap_socket(plain, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            with contextlib.suppress(OSError):
                while request := connection.recv(65536):
                    connection.sendall(ANSWER if b"drip" not in request else ANSWER[:20])
                    while b"drip" in request and not over.wait(0.05):
                        connection.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(0.1)


def ask(base: str, settings: OutboundSettings, path: str = "", seconds: float = 1.0) -> Answer:
    scope = open_scope(HttpClient(settings), AllowedServers.parse([base]), base, None, Deadline.after(seconds))
    return scope.get(base + path, "x/y")


def test_a_private_authority_is_trusted_when_set(port: int, ca_file: Path) -> None:
    assert ask(f"https://localhost:{port}/fhir", OutboundSettings(ca_bundle=ca_file)).body == b"{}"


def test_a_bundle_that_can_not_be_read_is_told_at_start(tmp_path: Path, authority: Any) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for settings in (
        OutboundSettings(ca_bundle=tmp_path / "missing.pem"),
        OutboundSettings(ca_bundle=nonsense),
        OutboundSettings(client_cert=nonsense),
    ):
        with pytest.raises(ValueError, match="PEM is expected") as refused:
            HttpClient(settings)
        assert str(tmp_path) not in str(refused.value)
    mine = tmp_path / "client.pem"
    certificate = authority.issue_cert("client.example.org")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(mine))
    HttpClient(OutboundSettings(client_cert=mine))


def test_a_server_that_asks_for_a_client_certificate_gets_the_one_that_is_set(
    authority: Any, ca_file: Path, tmp_path: Path
) -> None:
    clinics, strangers = trustme.CA(), trustme.CA()
    files = {}
    for name, issuer in (("mine", clinics), ("foreign", strangers)):
        files[name] = tmp_path / f"{name}.pem"
        issuer.issue_cert("cds.example.org").private_key_and_cert_chain_pem.write_to_path(str(files[name]))
    with _tls_server(authority, clients=clinics) as port:
        base = f"https://localhost:{port}/fhir"
        assert ask(base, OutboundSettings(ca_bundle=ca_file, client_cert=files["mine"])).body == b"{}"
        for wrong in (None, files["foreign"]):
            with pytest.raises(CallFailed) as failed:
                ask(base, OutboundSettings(ca_bundle=ca_file, client_cert=wrong))
            assert failed.value.reason in {"tls", "connection-lost"}


def test_an_encrypted_key_is_told_at_start_instead_of_asking_for_its_password(authority: Any, tmp_path: Path) -> None:
    issued = authority.issue_cert("cds.example.org")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    path = tmp_path / "client.pem"
    path.write_bytes(encrypted + issued.cert_chain_pems[0].bytes())
    with pytest.raises(ValueError, match=r"CDS_CLIENT_CERT can't be used: .* unencrypted key"):
        HttpClient(OutboundSettings(client_cert=path))


def test_no_other_is(port: int) -> None:
    with pytest.raises(CallFailed) as failed:
        ask(f"https://localhost:{port}/fhir", OutboundSettings())
    assert failed.value.reason == "tls"


def test_nor_a_certificate_for_another_name(port: int, ca_file: Path) -> None:
    with pytest.raises(CallFailed) as failed:
        ask(f"https://127.0.0.1:{port}/fhir", OutboundSettings(ca_bundle=ca_file))
    assert failed.value.reason == "tls"


def test_a_drip_within_tls_is_cut_off(port: int, ca_file: Path) -> None:
    started = time.monotonic()
    with pytest.raises(CallFailed) as failed:
        ask(f"https://localhost:{port}/fhir", OutboundSettings(ca_bundle=ca_file), "/drip", seconds=0.4)
    assert failed.value.reason == "timeout"
    assert time.monotonic() - started < 5  # for ever otherwise


def test_a_handshake_that_never_comes_is_cut_off(ca_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(CallFailed) as failed:
            ask(f"https://localhost:{silent.getsockname()[1]}/fhir", OutboundSettings(ca_bundle=ca_file), seconds=0.4)
        assert failed.value.reason == "timeout"
        assert time.monotonic() - started < 5  # for ever otherwise


def test_https_goes_through_the_proxy_that_is_set_with_its_login(port: int, ca_file: Path) -> None:
    asked: list[bytes] = []

    def tunnel(listener: socket.socket) -> None:
        client, _ = listener.accept()
        asked.append(client.recv(65536))
        with socket.create_connection(("127.0.0.1", port)) as server, client:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=tunnel, args=(listener,), daemon=True).start()
        proxy = f"http://me:p%40ss@127.0.0.1:{listener.getsockname()[1]}"
        settings = OutboundSettings(ca_bundle=ca_file, https_proxy=proxy)
        assert ask(f"https://localhost:{port}/fhir", settings).body == b"{}"
    assert asked[0].startswith(f"CONNECT localhost:{port} ".encode())
    assert (
        b"Proxy-Authorization: Basic bWU6cEBzcw==" in asked[0] or b"proxy-authorization: Basic bWU6cEBzcw==" in asked[0]
    )


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
