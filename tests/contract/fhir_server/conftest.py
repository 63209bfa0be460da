"""Which FHIR servers the statements are held against: those of CI, or the one that `--fhir-server` names."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.sandbox import commands
from fhir_fixtures.dates import REFERENCE_DAY
from tests.contract.fhir_server.fhir_under_test import FhirUnderTest
from tests.contract.fhir_server.searching import MANY
from tests.contract.fhir_server.servers import medplum_server, sandbox_server

_ON_CI = {"sandbox": sandbox_server, "medplum": medplum_server}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that takes a `server` runs once for each."""
    if "server" in metafunc.fixturenames:
        given = metafunc.config.getoption("--fhir-server")
        metafunc.parametrize("server", ["given"] if given else sorted(_ON_CI), indirect=True, scope="session")


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[dict[str, FhirUnderTest]]:
    """The servers under test by name, started and filled when first asked for."""
    with ExitStack() as stack:
        yield _Servers(stack, request.config)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: dict[str, FhirUnderTest]) -> FhirUnderTest:
    """The server under test, with the synthetic patients on it."""
    return servers[request.param]


class _Servers(dict[str, FhirUnderTest]):
    def __init__(self, stack: ExitStack, config: pytest.Config) -> None:
        super().__init__()
        self._stack = stack
        self._config = config

    def __missing__(self, name: str) -> FhirUnderTest:
        self[name] = _given(self._config) if name == "given" else self._started(name)
        return self[name]

    def _started(self, name: str) -> FhirUnderTest:
        base = self._stack.enter_context(_ON_CI[name]())
        _load(base)
        return FhirUnderTest(name, base)


def _load(base: str) -> None:
    """`cds-service load`, on the day that the fixtures are dated by."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_today", lambda: REFERENCE_DAY)
        done = CliRunner().invoke(main, ["load", "--fhir-server", base])
    assert done.exit_code == 0, done.output


def _given(config: pytest.Config) -> FhirUnderTest:
    base, token_file = config.getoption("--fhir-server").rstrip("/"), config.getoption("--token-file")
    token = Path(token_file).read_text(encoding="utf-8").strip() if token_file else None
    given = FhirUnderTest("given", base, token)
    try:
        status = given.get(f"Patient/{MANY}").status
    except requests.ConnectionError:
        pytest.exit(f"Nothing answers at {base}.", returncode=1)
    if status in (401, 403):
        pytest.exit(f"{base} answered {status}: give a token for it with --token-file.", returncode=1)
    if status != 200:
        pytest.exit(
            f"The synthetic patients aren't on {base}: `cds-service load --fhir-server {base}` puts them there.", 1
        )
    return given
