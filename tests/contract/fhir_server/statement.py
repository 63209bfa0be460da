"""A statement about a FHIR server, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.contract.fhir_server.fhir_under_test import FhirUnderTest

Need = Literal["needed", "tolerated"]


@dataclass(frozen=True)
class Statement:
    """What a server does, whether the service needs it, and what the service does where it doesn't hold."""

    says: str
    need: Need
    otherwise: str
    holds: Callable[[FhirUnderTest], None]
    """Raises AssertionError where it doesn't."""

    @property
    def id(self) -> str:
        """Its name in the table of known differences."""
        return self.holds.__name__


STATEMENTS: list[Statement] = []


def needed(says: str, otherwise: str) -> Callable[[Callable[[FhirUnderTest], None]], Callable[[FhirUnderTest], None]]:
    """Without this the service can't answer, or answers less."""
    return _statement(says, "needed", otherwise)


def tolerated(
    says: str, otherwise: str
) -> Callable[[Callable[[FhirUnderTest], None]], Callable[[FhirUnderTest], None]]:
    """Servers differ here, and the service answers the same."""
    return _statement(says, "tolerated", otherwise)


def _statement(
    says: str, need: Need, otherwise: str
) -> Callable[[Callable[[FhirUnderTest], None]], Callable[[FhirUnderTest], None]]:
    def register(holds: Callable[[FhirUnderTest], None]) -> Callable[[FhirUnderTest], None]:
        STATEMENTS.append(Statement(says, need, otherwise, holds))
        return holds

    return register
