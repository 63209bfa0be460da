"""What a call costs by payload and mode, and from that how many replicas so many chart openings need.

One worker on one core, everything else (wrk, databases, a FHIR server) on the other. Prints Markdown; with `--write`
it replaces what docs/operations/capacity.md holds between its marks. Takes some four minutes. Needs wrk, PostgreSQL
and Redis. The processor time of a call is the figure to trust: calls a second follow from it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.capacity_page import put_into, render
from benchmarks.payload import PATIENT_ID, request_body
from benchmarks.serving import PATH, Server, free_port, running, serve_command
from benchmarks.sizing import Cost, Kept, Measured
from benchmarks.wrk import Load, send_calls
from cds_service.client_authentication.signing import Call, PrivateKey, make_key, public_key_set, sign_token
from cds_service.records.migrate import migrate
from tests.builders.postgresql import PostgresServer, postgresql_server
from tests.builders.redis_server import redis_server

PAYLOADS = (4, 60, 1000)
CONNECTIONS = {4: 8, 60: 8, 1000: 2}
"""Calls under way at once: of large ones fewer, or a slow machine would end none of them within the seconds."""
FHIR_MS = 50
ISSUER, PUBLIC_URL = "https://ehr.example.org/fhir", "https://cds.example.org"
OFF = {"CDS_MEMORY": "off", "CDS_AUDIT": "off"}
SERVICE_CORE, OTHER_CORE = 0, 1


@dataclass(frozen=True)
class Mode:
    """One way to run the service."""

    name: str
    settings: Mapping[str, str]
    auth: bool = False
    fetches: bool = False


@dataclass
class Bench:
    """What the modes run on."""

    folder: Path
    postgresql: PostgresServer
    database_url: str
    redis_url: str
    redis_process: int
    key: PrivateKey
    seconds: int
    rates: dict[int, float] = field(default_factory=dict)
    """Calls a second so far, by payload: how many tokens will be needed."""

    def modes(self) -> tuple[Mode, ...]:
        """All that are measured; the last is how a hospital runs it."""
        auth = {"CDS_AUTH": "required", "CDS_REDIS_URL": self.redis_url}
        auth |= {"CDS_TRUSTED_CLIENTS": str(self.folder / "clients.toml"), "CDS_PUBLIC_URL": PUBLIC_URL}
        postgresql = {"CDS_DATABASE_URL": self.database_url}
        return (
            Mode("prefetch, nothing else", OFF),
            Mode("+ token, used once (Redis)", OFF | auth, auth=True),
            Mode("+ memory (SQLite)", {"CDS_AUDIT": "off"}),
            Mode("+ memory (PostgreSQL)", {"CDS_AUDIT": "off"} | postgresql),
            Mode("+ memory and audit (PostgreSQL)", postgresql),
            Mode("fetched from a FHIR server, nothing else", OFF, fetches=True),
            Mode("prefetch, token, memory, audit (Redis, PostgreSQL)", auth | postgresql, auth=True),
        )

    def measure(self, mode: Mode) -> Iterator[Cost]:
        """One mode with each payload."""
        settings = {"CDS_PSEUDONYM_KEY": "synthetic-key-of-the-benchmark", **mode.settings}
        with ExitStack() as stack:
            servers = {size: stack.enter_context(_fhir_server(size)) for size in PAYLOADS} if mode.fetches else {}
            if servers:
                settings["CDS_FHIR_SERVERS"] = ", ".join(servers.values())
            port = free_port()
            service = stack.enter_context(
                running(serve_command(port, "--workers", "1"), port, settings, core=SERVICE_CORE)
            )
            for size in PAYLOADS:
                body = _unprefetched(f"{servers[size]}/{FHIR_MS}") if servers else request_body(size)
                yield self._cost(mode, service, size, body)

    def _cost(self, mode: Mode, service: Server, size: int, body: bytes) -> Cost:
        self._load(mode, service, size, body, CONNECTIONS[size], 1, enough=1)
        others = self._others()
        before = [server.cpu_seconds() for server in (service, *others)]
        busy = self._load(mode, service, size, body, CONNECTIONS[size], self.seconds)
        after = [server.cpu_seconds() for server in (service, *others)]
        own, database, redis = ((b - a) * 1000 / busy.calls for a, b in zip(before, after, strict=True))
        connections = self._connections()
        alone = self._load(mode, service, size, body, 1, 2, enough=10)
        self.rates[size] = max(self.rates.get(size, 0), busy.calls_per_second)
        times = (alone.percentile_ms(50), alone.percentile_ms(99))
        taken = (own, database, redis, connections)
        return Cost(mode.name, mode.fetches, size, len(body), *taken, busy.calls_per_second, *times)

    def _others(self) -> tuple[Server, Server]:
        postmaster = (self.postgresql.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0]
        return Server(0, int(postmaster), 0), Server(0, self.redis_process, 0)

    def _load(
        self, mode: Mode, service: Server, size: int, body: bytes, connections: int, seconds: int, enough: int = 30
    ) -> Load:
        """So many seconds of load, again if a busy machine answered too few calls to tell anything."""
        load = Load()
        for _ in range(10):
            tokens = self._tokens(int(self.rates.get(size, 500) * seconds * 1.5) + 200) if mode.auth else []
            load += send_calls(service.url, body, connections, seconds, OTHER_CORE, tokens)
            if load.failed:
                raise SystemExit(f"{mode.name}, {size} Observations: {load.failed} calls failed")
            if load.calls >= enough:
                return load
        raise SystemExit(f"{mode.name}, {size} Observations: {load.calls} calls only, the machine is too busy")

    def _tokens(self, number: int) -> list[str]:
        call, now = Call(ISSUER, PUBLIC_URL + PATH), datetime.now(UTC)
        return [sign_token(self.key, call, now) for _ in range(number)]

    def kept(self) -> Kept:
        """How large rows are."""
        size = "SELECT pg_total_relation_size('{0}') / count(*)::float FROM {0}"
        return Kept(*(self._ask(size.format(table)) for table in ("audit_trail", "issued_cards")))

    def _connections(self) -> int:
        return int(self._ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cytopenia-cds'"))

    def _ask(self, query: str) -> float:
        with psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
            row = connection.execute(query.encode()).fetchone()
            return float(row[0]) if row else 0.0


def _unprefetched(fhir: str) -> bytes:
    """A call that leaves everything to this FHIR server; about one patient always (wrk's script doesn't know the id
    when it is spelled so), since the server has that one only.
    """
    body = json.loads(request_body(4)) | {"fhirServer": fhir}
    del body["prefetch"]
    return json.dumps(body).replace(PATIENT_ID, PATIENT_ID.replace("-", "\\u002d")).encode()


@contextmanager
def _fhir_server(counts: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.delayed_fhir", str(port), str(counts)]
    with running(command, port, probe="/fhir/0/metadata", core=OTHER_CORE):
        yield f"http://127.0.0.1:{port}/fhir"


@contextmanager
def _bench(seconds: int) -> Iterator[Bench]:
    key = make_key("ES384")
    with (
        tempfile.TemporaryDirectory() as name,
        postgresql_server() as database,
        redis_server(Path(name)) as redis,
    ):
        folder = Path(name)
        (folder / "keys.json").write_text(public_key_set(key), encoding="utf-8")
        client = f'[[client]]\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
        (folder / "clients.toml").write_text(client, encoding="utf-8")
        url = database.create_database()
        migrate(url)
        yield Bench(folder, database, url, redis.url, redis.process.pid, key, seconds)


def measure(seconds: int) -> Measured:
    """Everything; progress goes to standard error."""
    os.sched_setaffinity(0, {OTHER_CORE})  # and with it the databases
    with _bench(seconds) as bench:
        costs = []
        for mode in bench.modes():
            for cost in bench.measure(mode):
                costs.append(cost)
                print(f"{cost.mode}, {cost.observations}: {cost.cpu_ms:.2f} ms", file=sys.stderr)
        return Measured(tuple(costs), bench.kept())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="of load for each figure")
    parser.add_argument("--write", action="store_true", help="into docs/operations/capacity.md")
    told = parser.parse_args(arguments)
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two processor cores are needed: one for the service, one for all else")
    page = render(measure(told.seconds))
    if told.write:
        put_into(Path("docs/operations/capacity.md"), page)
    else:
        print(page)


if __name__ == "__main__":
    main()
