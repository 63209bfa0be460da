"""What the examination finds, step by step, as frozen values. Knows neither a terminal nor a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a step went; a note needs no action, a problem does."""

    FINE = "fine"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Step:
    """One step: what was seen, in plain words, and what to do next where something is wrong.

    `facts` are the same for machines: no patient data beyond counts, codes and units.
    """

    title: str
    outcome: Outcome
    says: tuple[str, ...]
    advice: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def worst(outcomes: "list[Outcome]") -> Outcome:
    """The gravest of several; fine where there are none."""
    order = list(Outcome)
    return max(outcomes, key=order.index, default=Outcome.FINE)
