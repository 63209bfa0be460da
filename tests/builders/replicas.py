"""Several `serve` behind nginx that share one PostgreSQL and one Redis, as a hospital runs them; clients prove who they
are. All real, on loopback.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from benchmarks.payload import PATIENT_ID, request_body
from cds_service.client_authentication.signing import Call, PrivateKey, make_key, public_key_set, sign_token
from cds_service.records.migrate import migrate
from tests.builders.client_tokens import BY_FILE, ISSUER, PUBLIC_URL, trusting
from tests.builders.gateway import Changes, Gateway, gateway
from tests.builders.postgresql import postgresql_server
from tests.builders.redis_server import redis_server
from tests.crash.service import Service

OTHER_ISSUER = "https://other.example.org/fhir"
UNLIMITED = [("rate=100r/s", "rate=10000r/s")]


@dataclass(frozen=True)
class Replicas:
    """What runs, and the key of both trusted clients."""

    services: list[Service]
    gateway: Gateway
    key: PrivateKey

    def token(self, path: str, issuer: str = ISSUER) -> str:
        """A right token for one call of a path."""
        return sign_token(self.key, Call(issuer, PUBLIC_URL + path), datetime.now(UTC))

    def post(self, number: int, path: str, body: Any, token: str | None = None, issuer: str = ISSUER) -> Any:
        """Call one replica past the gateway, with a token of its own unless one is given."""
        headers = {"Authorization": f"Bearer {token or self.token(path, issuer)}"}
        url = f"http://{self.services[number].address}{path}"
        return requests.post(url, json=body, headers=headers, timeout=30)


@contextmanager
def replicas(folder: Path, number: int = 3, changes: Changes = UNLIMITED, **settings: str) -> Iterator[Replicas]:
    """So many of them, gone afterwards with all they held."""
    key = make_key("ES384")
    clients = (BY_FILE, BY_FILE.replace(ISSUER, OTHER_ISSUER))
    with postgresql_server() as database, redis_server(folder) as redis, ExitStack() as running:
        url = database.create_database()
        migrate(url)
        common = {
            "CDS_AUTH": "required",
            **trusting(folder, *clients, keys=public_key_set(key).encode()),
            "CDS_REDIS_URL": redis.url,
            "CDS_MIGRATE": "manual",
            "CDS_DRAIN_SECONDS": "0",  # nginx needs no time to hear that a replica is going
            **settings,
        }
        services = []
        for index in range(number):
            (own := folder / f"replica-{index}").mkdir()
            service = Service(own, url, settings=common)
            running.callback(service.kill)
            service.start()
            services.append(service)
        addresses = [service.address for service in services]
        before = running.enter_context(gateway(folder / "gateway", *addresses, changes=changes))
        yield Replicas(services, before, key)


def low_counts(observations: int = 4) -> dict[str, Any]:
    """A call about a patient nobody has asked about, opened once, with low counts of the last days."""
    told = request_body(observations).decode().replace(PATIENT_ID, f"synthetic-{uuid.uuid4().hex[:10]}")
    opened: dict[str, Any] = json.loads(told)
    return opened | {"hookInstance": str(uuid.uuid4())}
