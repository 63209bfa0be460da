"""What the FHIR servers of this process have told and shown: by base URL, for a while, of so many servers at most.

It only makes the next call shorter or fuller; a call goes on without it. Knows no query and makes no call.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cds_service.fhir_reading.capabilities import Capabilities
from cds_service.fhir_reading.search_forms import AS_ADVERTISED, SearchForm

REMEMBERED_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 60.0
SERVERS_AT_MOST = 1000
_NOTHING_TOLD = Capabilities()


@dataclass(frozen=True)
class ServerTraits:
    """What is known of one server. Times are in seconds of the monotonic clock that the calls' deadlines use.

    `introduced`: it was asked what it offers, and isn't asked again before `ask_after`.
    `knows_lists`: it has answered a list of codes with more than the first one.
    """

    capabilities: Capabilities = _NOTHING_TOLD
    introduced: bool = False
    ask_after: float = 0.0
    knows_lists: bool = False
    forms: Mapping[str, tuple[SearchForm, float]] = field(default_factory=dict)

    def form_of(self, resource_type: str, now: float) -> SearchForm:
        """How a search for this type of resource is put so that the server understands it."""
        form, until = self.forms.get(resource_type, (AS_ADVERTISED, now))
        return form if until > now else AS_ADVERTISED

    def understanding(self, resource_type: str, form: SearchForm, now: float) -> "ServerTraits":
        """It refused the advertised form, or misread it, and answered this one."""
        return replace(self, forms={**self.forms, resource_type: (form, now + REMEMBERED_SECONDS)})

    def having_told(self, capabilities: Capabilities | None, now: float) -> "ServerTraits":
        """It told this of itself, or nothing: None leaves what was known."""
        told = capabilities or self.capabilities
        return replace(self, capabilities=told, introduced=True, ask_after=now + REMEMBERED_SECONDS)

    def not_having_answered(self, now: float) -> "ServerTraits":
        """It didn't answer the question about itself: not an absence, so it is asked again before long."""
        return replace(self, introduced=True, ask_after=now + ASK_AGAIN_SECONDS)

    def without_panel_parameter(self) -> "ServerTraits":
        """It offers a search by components, and refuses it."""
        return replace(self, capabilities=replace(self.capabilities, panel_parameter=None))


_STRANGER = ServerTraits()


@dataclass
class ServerMemory:
    """The traits of all servers, for all threads of the process."""

    _traits: dict[str, ServerTraits] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def of(self, base_url: str | None) -> ServerTraits:
        """What is known of the server with this base."""
        return self._traits.get(base_url or "", _STRANGER)

    def learn(self, base_url: str, change: Callable[[ServerTraits], ServerTraits]) -> None:
        """Change what is known of a server; the one known longest makes room for a new one."""
        with self._changed:
            if base_url not in self._traits and len(self._traits) >= SERVERS_AT_MOST:
                del self._traits[next(iter(self._traits))]
            self._traits[base_url] = change(self.of(base_url))
            self._changed.notify_all()

    def await_introduction(self, base_url: str, seconds: float) -> None:
        """Wait until a server is introduced by whoever asks it just now, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.of(base_url).introduced, seconds)

    def is_to_ask(self, base_url: str, now: float) -> bool:
        """Whether the caller is to ask the server about itself: one call at a time, and again after a while."""
        due = False

        def ask(known: ServerTraits) -> ServerTraits:
            nonlocal due
            due = known.ask_after <= now
            return replace(known, ask_after=now + REMEMBERED_SECONDS) if due else known

        self.learn(base_url, ask)
        return due
