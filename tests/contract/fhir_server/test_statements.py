"""The statements, held against every server. Run `pytest tests/contract/fhir_server --fhir-server URL` for yours.

A stand-in can't drift unseen: what it does otherwise stands in `known_differences.toml`, and stands there only as long
as it does so. On a server of yours what is needed must hold; what is only tolerated is told, with what we do there.
"""

import tomllib
import warnings
from pathlib import Path

import pytest

from tests.contract.fhir_server import paging_and_refusals, searching
from tests.contract.fhir_server.fhir_under_test import FhirUnderTest
from tests.contract.fhir_server.statement import STATEMENTS, Statement

DIFFERENCES = tomllib.loads((Path(__file__).parent / "known_differences.toml").read_text(encoding="utf-8"))
TOPICS = (searching, paging_and_refusals)


class ToleratedDifference(UserWarning):
    """A server does otherwise, and the service copes."""


@pytest.mark.server
@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: f"{statement.need}: {statement.says}")
def test_the_server_keeps_to_the_statement(statement: Statement, server: FhirUnderTest) -> None:
    known = DIFFERENCES.get(server.name, {}).get(statement.id)
    failure = _failure(statement, server)
    if known is not None:
        assert failure is not None, "this holds by now: take it out of known_differences.toml"
    elif failure is not None and server.name == "given" and statement.need == "tolerated":
        warnings.warn(f"{statement.says} Not here; {statement.otherwise}", ToleratedDifference, stacklevel=1)
    elif failure is not None:
        raise AssertionError(f"{statement.says} Where not: {statement.otherwise}") from failure


def test_the_sandbox_has_no_differences() -> None:
    assert "sandbox" not in DIFFERENCES


def test_every_known_difference_is_of_a_statement_and_says_what_the_service_does() -> None:
    ids = [statement.id for statement in STATEMENTS]
    assert len(ids) == len(set(ids))
    for server, differences in DIFFERENCES.items():
        assert set(differences) <= set(ids), server
        assert all(set(row) == {"does", "service"} and all(row.values()) for row in differences.values())


def _failure(statement: Statement, server: FhirUnderTest) -> Exception | None:
    try:
        statement.holds(server)
    except (AssertionError, KeyError, TypeError, AttributeError) as failure:
        return failure
    return None
