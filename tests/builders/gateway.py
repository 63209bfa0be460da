"""nginx with the configuration as shipped, in front of services; only names, addresses and what a test says differ."""

import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx"
_SITE = "cytopenia-cds.conf"
_MAIN = f"""
{"user root;" if os.geteuid() == 0 else ""} daemon off; pid nginx.pid; worker_processes 2; worker_rlimit_nofile 8192;
error_log main.log; events {{ worker_connections 4096; }}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    include {_SITE};
}}
"""
Changes = Sequence[tuple[str, str]]
"""What is replaced in the shipped files, each by what; what isn't there to be replaced is an error."""


@dataclass(frozen=True)
class Gateway:
    """A running nginx."""

    url: str
    port: int
    folder: Path

    @property
    def trusted(self) -> str:
        """The file with the authority that vouches for its certificate."""
        return str(self.folder / "server-ca.pem")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its access log so far."""
        return self.lines_after(0)

    def lines_after(self, position: int) -> list[dict[str, Any]]:
        """Its access log after what was `written` at some time."""
        return [json.loads(line) for line in (self.folder / "access.log").read_bytes()[position:].splitlines()]

    @property
    def written(self) -> int:
        """How long its access log is."""
        return (self.folder / "access.log").stat().st_size

    def said(self) -> str:
        """All that it wrote to any log."""
        names = ("access.log", "error.log", "main.log", "nginx.log")
        return "".join((self.folder / name).read_text(encoding="utf-8", errors="replace") for name in names)

    def connect(self, source: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A TLS connection from one of this machine's own addresses."""
        context = context or ssl.create_default_context(cafile=self.trusted)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))
        return context.wrap_socket(raw, server_hostname="localhost")


@contextmanager
def gateway(folder: Path, *replicas: str, changes: Changes = (), send_buffer: int | None = None) -> Iterator[Gateway]:
    """nginx before the replicas (host:port each), until left.

    Args:
        folder: a new one; holds configuration, certificates and logs.
        replicas: at least one.
        changes: to the shipped files, beside addresses and paths.
        send_buffer: bytes that the system holds for a client that doesn't read; by default up to megabytes.
    """
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    make_certificates(folder)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:  # nginx inherits it: no port to race for
        listener.setblocking(False)  # as nginx leaves it: a worker that comes too late for a connection must not wait
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        host, port = listener.getsockname()
        _adapt(folder, f"{host}:{port}", replicas, changes)
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c", "nginx.conf"]
        environment, descriptors = os.environ | {"NGINX": f"{listener.fileno()};"}, [listener.fileno()]
        checked = subprocess.run(
            [*command, "-t"], env=environment, pass_fds=descriptors, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr, checked.stderr
        with (folder / "nginx.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, pass_fds=descriptors, stderr=log)
    try:
        yield Gateway(f"https://localhost:{port}", port, folder)
    finally:
        process.terminate()
        code = process.wait(20)
    assert code == 0, (folder / "nginx.log").read_text(encoding="utf-8")


def _adapt(folder: Path, listen: str, replicas: Sequence[str], changes: Changes) -> None:
    first, *more = (f"server {replica} max_fails=3 fail_timeout=1s;" for replica in replicas)
    ours = [
        ("server 127.0.0.1:8000 max_fails=3 fail_timeout=1s;", "\n    ".join((first, *more))),
        ("listen      443 ssl", f"listen {listen} ssl"),
        ("/etc/cytopenia-cds/", f"{folder}/"),
        ("/var/log/nginx/cytopenia-cds.log", "access.log"),
        ("/var/log/nginx/cytopenia-cds.error.log", "error.log"),
    ]
    missing = dict([*ours, *changes])
    for file in (folder / _SITE, *(folder / "cytopenia-cds").iterdir()):
        told = file.read_text(encoding="utf-8")
        for old, new in (*ours, *changes):
            if old in told:
                told = told.replace(old, new)
                missing.pop(old, None)
        file.write_text(told, encoding="utf-8")
    assert not missing, f"not in the shipped files: {list(missing)}"
    (folder / "nginx.conf").write_text(_MAIN, encoding="utf-8")


def make_certificates(folder: Path) -> None:
    """One of nginx's own, and three of clients: an EHR's, a printer's of the same authority, and a stranger's."""
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
