"""What an integrator chose for the next opening of a chart, as it stands in the page's address. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from cds_service.sandbox.hook_clients import CLIENTS, LEAVES_OUT, NEWEST, HookClient

SENDINGS: Mapping[str, str] = {"drop": "left out", "null": "sent as null"}
FAULTS: Mapping[str, str] = {
    "slow": "answers after 1 second",
    "too-slow": "answers after 3 seconds",
    "401": "401 Unauthorized",
    "403": "403 Forbidden",
    "404": "404 Not Found",
    "429": "429 Too Many Requests",
    "500": "500 Internal Server Error",
    "503": "503 Service Unavailable",
    "outcome": "200 with an OperationOutcome",
    "not-json": "a page that isn’t FHIR",
}
_SENT, _FHIR = "prefetch.", "fhir."


@dataclass(frozen=True)
class Situation:
    """A client, and per prefetch key how it is sent (`SENDINGS`) and how the FHIR server fails (`FAULTS`)."""

    client: HookClient = LEAVES_OUT
    sendings: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The situation as a query string, "" for the usual one."""
        chosen = {} if self.client.version == NEWEST.version else {"client": self.client.version}
        chosen |= {f"{_SENT}{key}": how for key, how in self.sendings.items()}
        return urlencode(chosen | {f"{_FHIR}{key}": fault for key, fault in self.faults.items()})

    @property
    def summary(self) -> str:
        """What is unusual about it, in a line; "" for the usual one."""
        parts = [] if self.client.version == NEWEST.version else [f"CDS Hooks {self.client.version} client"]
        parts += [f"{key} {SENDINGS[how]}" for key, how in self.sendings.items()]
        parts += [f"FHIR server for {key}: {FAULTS[fault]}" for key, fault in self.faults.items()]
        return " · ".join(parts)


AS_USUAL = Situation()


def read_situation(asked: Mapping[str, str]) -> Situation:
    """The situation of an address or a form; what isn't a choice counts as not chosen."""
    return Situation(
        client=CLIENTS.get(asked.get("client", ""), NEWEST),
        sendings=_chosen(asked, _SENT, SENDINGS),
        faults=_chosen(asked, _FHIR, FAULTS),
    )


def _chosen(asked: Mapping[str, str], prefix: str, choices: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(prefix): choice
        for name, choice in asked.items()
        if name.startswith(prefix) and choice in choices
    }
