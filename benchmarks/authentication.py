"""What it costs to know who calls: one token after another on one core, with each memory of used tokens.

Prints the median of each in milliseconds, and the ratio to the same step without a memory. Needs redis-server.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cds_service.cds_hooks.clients import CdsClient
from cds_service.client_authentication.authentication import ClientAuthentication, KnownClient
from cds_service.client_authentication.key_sources import FileKeys
from cds_service.client_authentication.redis_tokens import RedisUsedTokens
from cds_service.client_authentication.signing import Call, PrivateKey, make_key, public_key_set, sign_token
from cds_service.client_authentication.used_tokens import UsedTokens
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores
from tests.builders.redis_server import redis_server

ISSUER = "https://ehr.example.org/fhir"
PUBLIC_URL = "https://cds.example.org"
ENDPOINT = "/cds-services/cytopenia-review"


@dataclass
class NoMemory:
    """Takes every token for a first use: the cost of signature and claims alone."""

    used: set[str] = field(default_factory=set)

    def use_once(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:  # noqa: ARG002
        """Always."""
        return True


@contextmanager
def memories(folder: Path) -> Iterator[dict[str, UsedTokens]]:
    """Each memory of used tokens by name."""
    url = f"sqlite:///{folder}/records.sqlite3"
    migrate(url)
    stores = open_stores(url)
    with redis_server(folder) as redis:
        yield {"none": NoMemory(), "SQLite": stores.used_tokens, "Redis": RedisUsedTokens(redis.url)}
    stores.close()


def median_ms(door: ClientAuthentication, tokens: list[str]) -> float:
    """The median time of one authentication."""
    times = []
    for token in tokens:
        began = time.perf_counter()
        door.authenticate(f"Bearer {token}", ENDPOINT)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[len(times) // 10 :])


def door_for(key: PrivateKey, used_tokens: UsedTokens, folder: Path) -> ClientAuthentication:
    """A door that trusts this key."""
    path = folder / f"{key.alg}.json"
    path.write_text(public_key_set(key), encoding="utf-8")
    known = KnownClient(CdsClient(ISSUER), FileKeys(path, ISSUER, lambda *_: None))
    return ClientAuthentication({(ISSUER, None): known}, PUBLIC_URL, used_tokens, lambda: datetime.now(UTC))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=500)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    table = Table(title=f"One authentication, median of {options.tokens} on one core")
    for heading in ("algorithm", "used tokens in", "ms", "ratio"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as name, memories(Path(name)) as by_name:
        for algorithm in ("ES256", "ES384", "RS256", "RS384"):
            key = make_key(algorithm)
            alone = 0.0
            for memory, used_tokens in by_name.items():
                call = Call(ISSUER, PUBLIC_URL + ENDPOINT)
                tokens = [sign_token(key, call, datetime.now(UTC)) for _ in range(options.tokens)]
                took = median_ms(door_for(key, used_tokens, Path(name)), tokens)
                alone = alone or took
                table.add_row(algorithm, memory, f"{took:.3f}", f"{took / alone:.2f}")
    Console().print(table)
    Console().print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
