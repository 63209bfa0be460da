"""Who is measured: the service in each of its modes, and the yardsticks, each as one worker on one core."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from rich.console import Console

from benchmarks.environments import ROOT, python_with
from benchmarks.payload import HOOK_INSTANCE, PATIENT_ID
from benchmarks.serving import PATH, Server, free_port, running, serve_command
from cds_service.client_authentication.signing import Call, make_key, public_key_set, sign_token

THREADS = "16"
SERVICE, KEEPING, AUTHENTICATED = "service", "service, memory and audit on", "service, authentication on"
FLASK, WSGI, USUAL, HEALTHCHAIN = "(a) Flask that only parses", "(b) bare WSGI", "(c) the usual way", "(d) HealthChain"
YARDSTICKS = (FLASK, WSGI, USUAL, HEALTHCHAIN)
_ISSUER, _PUBLIC_URL = "https://ehr.example.org/fhir", "https://cds.example.org"
_number = count(1)


@dataclass(frozen=True)
class Contender:
    """A server that can be started: its command for a port, its settings, where it is called and asked if it is up.

    `judges` tells whether its answer depends on the chart; `tokens` makes so many tokens where it asks for them.
    """

    name: str
    command: Callable[[int], list[str]]
    settings: Mapping[str, str] = field(default_factory=dict)
    path: str = PATH
    probe: str = "/livez"
    judges: bool = True
    tokens: Callable[[int], list[str]] = lambda _: []


@dataclass(frozen=True)
class Running:
    """A contender at work."""

    contender: Contender
    server: Server

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.server.port}{self.contender.path}"

    def call(self, body: bytes, times: int = 1) -> bytes:
        """Make so many calls on one connection, each about another patient than any before; the last answer.

        Raises:
            SystemExit: one wasn't answered with 200.
        """
        tokens = iter(self.contender.tokens(times))
        answer = b""
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            for _ in range(times):
                headers = {"Content-Type": "application/json"}
                if token := next(tokens, None):
                    headers["Authorization"] = f"Bearer {token}"
                connection.request("POST", self.contender.path, _about_another(body), headers)
                response = connection.getresponse()
                answer = response.read()
                if response.status != HTTPStatus.OK:
                    raise SystemExit(f"{self.contender.name} answered {response.status}: {answer[:300]!r}")
        return answer


def _about_another(body: bytes) -> bytes:
    number = next(_number)
    body = body.replace(f'{PATIENT_ID}"'.encode(), f'n{number:08d}"'.encode())
    return body.replace(HOOK_INSTANCE.encode(), f"00000000-0000-4000-9000-{number:012x}".encode())


@contextmanager
def started(contender: Contender, core: int | None) -> Iterator[Running]:
    """A contender as a process of its own."""
    port = free_port()
    with running(contender.command(port), port, contender.settings, contender.probe, core) as server:
        yield Running(contender, server)


@contextmanager
def all_contenders(console: Console) -> Iterator[list[Contender]]:
    """The service in its modes, and the yardsticks with their environments, which are made if need be."""
    usual, healthchain = (python_with(name, console) for name in ("usual", "healthchain"))
    with service_modes() as modes:
        yield [*modes, *_yardsticks(str(usual), str(healthchain))]


@contextmanager
def service_modes() -> Iterator[list[Contender]]:
    """The service in each of its modes; what they keep is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        yield _service_in_its_modes(Path(folder))


def expect_right_answer(server: Running, body: bytes, findings: bool) -> None:
    """See that a contender answers as its kind should.

    Raises:
        SystemExit: a card is missing, or there is one too many, or it isn't about the finding.
    """
    cards = json.loads(server.call(body))["cards"]
    due = findings or not server.contender.judges
    told = " ".join(f"{card['indicator']} {card['summary']}" for card in cards).lower()
    right = not server.contender.judges or all(word in told for word in ("warning", "2.9", "88.1", "platelets"))
    if len(cards) != due or (due and not right):
        raise SystemExit(f"{server.contender.name} answered wrongly, with findings={findings}: {told or 'no card'}")


def _service_in_its_modes(folder: Path) -> list[Contender]:
    plain = Contender(
        SERVICE,
        lambda port: serve_command(port, "--workers", "1", "--threads", THREADS),
        {"CDS_MEMORY": "off", "CDS_AUDIT": "off", "CDS_DATABASE_URL": f"sqlite:///{folder}/plain.sqlite3"},
    )
    keeping = {"CDS_MEMORY": "on", "CDS_AUDIT": "on", "CDS_PSEUDONYM_KEY": "synthetic-key-of-the-benchmarks-only"}
    keeping |= {"CDS_DATABASE_URL": f"sqlite:///{folder}/keeping.sqlite3"}
    key = make_key("ES384")
    (folder / "jwks.json").write_text(public_key_set(key), encoding="utf-8")
    trusted = folder / "clients.toml"
    trusted.write_text(f'[[client]]\nissuer = "{_ISSUER}"\njwks_file = "jwks.json"\nfhir_servers = ["{_ISSUER}"]\n')
    asking = {"CDS_AUTH": "required", "CDS_TRUSTED_CLIENTS": str(trusted), "CDS_PUBLIC_URL": _PUBLIC_URL}

    def tokens(number: int) -> list[str]:
        call = Call(_ISSUER, _PUBLIC_URL + PATH)
        return [sign_token(key, call, datetime.now(UTC)) for _ in range(number)]

    return [
        plain,
        replace(plain, name=KEEPING, settings={**plain.settings, **keeping}),
        replace(plain, name=AUTHENTICATED, settings={**plain.settings, **asking}, tokens=tokens),
    ]


def _yardsticks(usual: str, healthchain: str) -> list[Contender]:
    import_root = {"PYTHONPATH": str(ROOT)}

    def with_gunicorn(name: str, module: str, judges: bool = False) -> Contender:
        command = [usual, "-m", "gunicorn", "--workers", "1", "--threads", THREADS, "--worker-class", "gthread"]
        app = ["--no-control-socket", f"benchmarks.yardsticks.{module}:app"]
        return Contender(name, lambda port: [*command, "--bind", f"127.0.0.1:{port}", *app], import_root, judges=judges)

    uvicorn = [healthchain, "-m", "uvicorn", "--no-access-log", "benchmarks.yardsticks.healthchain_way:app"]
    return [
        with_gunicorn(FLASK, "fixed_flask"),
        with_gunicorn(WSGI, "fixed_wsgi"),
        with_gunicorn(USUAL, "usual_way", judges=True),
        Contender(
            HEALTHCHAIN,
            lambda port: [*uvicorn, "--host", "127.0.0.1", "--port", str(port)],
            import_root,
            path=f"/cds{PATH}",
            probe="/cds/cds-discovery",
        ),
    ]
