"""Makes the secrets of `deploy/compose.yaml`: `make_secrets.py FOLDER`. What is there stays; nothing is printed.

Each folder is a volume that only its reader mounts, so its files may be read by whatever user the reader runs as.
"""

import ipaddress
import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAYS = 365
_READABLE = 0o444


def make_secrets(folder: Path) -> None:
    """Write each secret that isn't there yet."""
    database = _kept(folder / "database" / "password", _random())
    redis = _kept(folder / "redis" / "password", _random())
    _kept(
        folder / "redis" / "redis.conf", f'requirepass {redis}\nsave ""\nappendonly no\nmaxmemory-policy noeviction\n'
    )
    service = folder / "cytopenia-cds"
    _kept(service / "database-url", f"postgresql+psycopg://cds:{database}@database:5432/cds")
    _kept(service / "redis-url", f"redis://:{redis}@redis:6379/0")
    _kept(service / "pseudonym-key", _random())
    _kept(service / "ops-token", _random())
    _kept(folder / "grafana" / "admin-password", _random())
    if not (folder / "tls" / "server.pem").exists():
        key, certificate = _self_signed(datetime.now(UTC))
        _kept(folder / "tls" / "server.key", key)
        _kept(folder / "tls" / "server.pem", certificate)


def _random() -> str:
    return secrets.token_urlsafe(32)


def _kept(file: Path, text: str) -> str:
    """The file's text; written whole or not at all, and never over what is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="ascii")
        unfinished.chmod(_READABLE)
        os.replace(unfinished, file)
    return file.read_text(encoding="ascii")


def _self_signed(now: datetime) -> tuple[str, str]:
    """A private key, and a certificate for this machine's own names that nobody vouches for (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.DNSName("nginx"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    unsigned = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    unsigned = unsigned.serial_number(x509.random_serial_number())
    unsigned = unsigned.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=_DAYS))
    unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = unsigned.sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode("ascii"), certificate.public_bytes(Encoding.PEM).decode("ascii")


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]))
