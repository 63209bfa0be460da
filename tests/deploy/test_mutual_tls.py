"""nginx with the configuration as shipped, in front of a real `serve`: who gets through, and what arrives."""

import json
import os
import socket
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import trustme

from cds_service.client_authentication.signing import Call, PrivateKey, make_key, public_key_set, sign_token
from tests.builders import chart
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.client_tokens import ISSUER, PUBLIC_URL, SERVICE
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "mutual-tls.conf"
NGINX = f"""
daemon off; pid nginx.pid; error_log stderr; events {{}}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    access_log off; include {SHIPPED.name};
}}
"""


@dataclass(frozen=True)
class Gateway:
    """nginx before the service."""

    url: str
    port: int
    folder: Path
    service: Served
    key: PrivateKey

    def call(self, certificate: str | None, path: str = SERVICE, body: bytes | None = None) -> requests.Response:
        """Call the service with a token that is right for the path, and with a client's certificate or none."""
        token = sign_token(self.key, Call(ISSUER, PUBLIC_URL + path), datetime.now(UTC))
        sent = body or json.dumps(chart.call(chart.prefetch([]), hookInstance=str(uuid.uuid4()))).encode()
        return requests.post(
            self.url + path,
            data=sent,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            cert=str(self.folder / certificate) if certificate else None,
            verify=str(self.folder / "server-ca.pem"),
            timeout=20,
        )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder, key = tmp_path_factory.mktemp("gateway"), make_key("ES384")
    _make_certificates(folder)
    (folder / "ehr.jwks.json").write_text(public_key_set(key), encoding="utf-8")
    trusted = folder / "trusted-clients.toml"
    trusted.write_text(f'[[client]]\nissuer = "{ISSUER}"\njwks_file = "ehr.jwks.json"\n', encoding="utf-8")
    with serving(folder, CDS_TRUSTED_CLIENTS=str(trusted), CDS_PUBLIC_URL=PUBLIC_URL) as service:
        with socket.create_server(("127.0.0.1", 0)) as listener:  # nginx inherits it: no port to race for
            port = listener.getsockname()[1]
            process = _start_nginx(folder, listener, service)
        yield Gateway(f"https://localhost:{port}", port, folder, service, key)
        process.terminate()
        assert process.wait(20) == 0


def _make_certificates(folder: Path) -> None:
    authorities = {name: trustme.CA() for name in ("server", "clients", "stranger")}
    authorities["server"].cert_pem.write_to_path(str(folder / "server-ca.pem"))
    authorities["clients"].cert_pem.write_to_path(str(folder / "clients-ca.pem"))
    server = authorities["server"].issue_cert("localhost")
    server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    for name, authority, subject in (
        ("ehr", "clients", "ehr.example.org"),
        ("printer", "clients", "printer.example.org"),
        ("stranger", "stranger", "ehr.example.org"),
    ):
        issued = authorities[authority].issue_cert(subject, common_name=subject)
        issued.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))


def _start_nginx(folder: Path, listener: socket.socket, service: Served) -> subprocess.Popen[bytes]:
    host, port = listener.getsockname()
    told = SHIPPED.read_text(encoding="utf-8").replace("/etc/cytopenia-cds/", f"{folder}/")
    told = told.replace("listen 8443", f"listen {host}:{port}").replace("http://127.0.0.1:8000", service.url)
    (folder / SHIPPED.name).write_text(told, encoding="utf-8")
    (folder / "nginx.conf").write_text(NGINX, encoding="utf-8")
    return subprocess.Popen(
        ["/usr/sbin/nginx", "-p", str(folder), "-c", "nginx.conf"],
        env=os.environ | {"NGINX": f"{listener.fileno()};"},
        pass_fds=[listener.fileno()],
        stderr=(folder / "nginx.log").open("wb"),
    )


def test_the_ehrs_certificate_and_token_together_are_answered(gateway: Gateway) -> None:
    answer = gateway.call("ehr.pem")
    assert answer.status_code == 200, answer.text
    assert_response_conforms(answer.json())
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_certificate_replaces_no_token(gateway: Gateway) -> None:
    verify, cert = str(gateway.folder / "server-ca.pem"), str(gateway.folder / "ehr.pem")
    assert requests.get(f"{gateway.url}/cds-services", cert=cert, verify=verify, timeout=20).status_code == 401


@pytest.mark.parametrize(("certificate", "status"), [(None, 400), ("stranger.pem", 400), ("printer.pem", 403)], ids=str)
def test_others_are_refused_before_the_service_hears_of_them(
    gateway: Gateway, certificate: str | None, status: int
) -> None:
    heard = len(gateway.service.lines)
    answer = gateway.call(certificate)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert_operation_outcome(answer.json())
    assert len(gateway.service.lines) == heard


@pytest.mark.parametrize("path", ["/x/../cds-services", "/cds-services//cytopenia-review"])
def test_paths_arrive_as_they_were_sent(gateway: Gateway, path: str) -> None:
    """`aud` is compared with the path called: a gateway that tidied paths up would call what the client didn't."""
    context = ssl.create_default_context(cafile=str(gateway.folder / "server-ca.pem"))
    context.load_cert_chain(gateway.folder / "ehr.pem")
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(head.encode())
        assert connection.makefile("rb").readline().split()[1] == b"404"


def test_a_body_too_large_is_refused_with_an_outcome(gateway: Gateway) -> None:
    answer = gateway.call("ehr.pem", body=b" " * (16 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert_operation_outcome(answer.json())
