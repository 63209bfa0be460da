"""What clients of the three published versions of CDS Hooks send and can show. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class HookClient:
    """A client's habits. `empty_as_null`: a search without matches is sent as null; `tells_failures`: a query that
    failed is sent as OperationOutcome, else its key is left out; `names_patient`: in fhirAuthorization."""

    version: str
    scope: str
    empty_as_null: bool = False
    tells_failures: bool = True
    names_patient: bool = True
    gives_feedback: bool = True

    @property
    def habits(self) -> str:
        """The same in a sentence for the person who chooses."""
        parts = (
            f"scope {self.scope}",
            "no data is null" if self.empty_as_null else "no data is an empty Bundle",
            "a failed query is an OperationOutcome" if self.tells_failures else "a failed query is left out",
            "feedback" if self.gives_feedback else "no feedback, no override reasons, no recommended suggestion",
        )
        return "; ".join(parts)


CLIENTS: Mapping[str, HookClient] = {
    "3.0": HookClient("3.0", "patient/*.rs"),
    "2.0": HookClient("2.0", "patient/*.read", empty_as_null=True),
    "1.0": HookClient(
        "1.0", "patient/*.read", empty_as_null=True, tells_failures=False, names_patient=False, gives_feedback=False
    ),
}
NEWEST = CLIENTS["3.0"]
LEAVES_OUT = HookClient("3.0", "patient/*.rs", tells_failures=False)
"""Leaves out what it couldn't fetch, as the public CDS Hooks Sandbox does."""
