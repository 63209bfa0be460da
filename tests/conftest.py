"""Options of the whole test run, and the contract that every card made by any test keeps."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from cds_service.records import database, stores
from cds_service.services.card_composer import CardComposer
from tests.builders.card_contract import assert_card_keeps_to_it

settings.register_profile("busy machine", deadline=None)  # how long an example takes is no property of what is tested
settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden cards anew instead of comparing with them"
    )
    parser.addoption(
        "--fhir-server", metavar="URL", help="hold the statements of tests/contract/fhir_server against this server"
    )
    parser.addoption("--token-file", metavar="FILE", help="the bearer token for --fhir-server")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI nothing may be skipped: a missing browser, server or data set is a failure there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, and CI must not skip any (reasons above, or with -rs).", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True, scope="session")
def _a_busy_machine_is_no_database_that_hangs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MEMORY_SECONDS", "AUDIT_SECONDS", "PROBE_SECONDS"):
            patch.setattr(stores, name, 60.0)
        patch.setattr(database, "WAIT_MS", 60_000)
        yield


@pytest.fixture(autouse=True, scope="session")
def _every_card_keeps_the_contract() -> Iterator[None]:
    """Whatever a test composes in this process is checked on its way out."""
    compose_card = CardComposer._card

    def checked(*args: object) -> object:
        card = compose_card(*args)  # type: ignore[arg-type]
        assert_card_keeps_to_it(card)
        return card

    CardComposer._card = checked  # type: ignore[assignment,method-assign]
    yield
    CardComposer._card = compose_card  # type: ignore[method-assign]
