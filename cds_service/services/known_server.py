"""One FHIR server during one call, asked in the way it is known to understand. Knows no prefetch and no medicine.

A search it refuses is put more narrowly, a list of codes that it may have misread is checked, and what is learnt so is
remembered for the calls that follow.
"""

import threading
from dataclasses import dataclass, field, replace

from cds_service.fhir_reading.capabilities import read_capabilities
from cds_service.fhir_reading.entries import Unpacked
from cds_service.fhir_reading.search_forms import (
    UNLISTED,
    SearchForm,
    by_component,
    forms_after,
    listed_codes,
    shows_lists,
    with_codes,
)
from cds_service.fhir_reading.server import Fetched, FhirServer, resource_type_of
from cds_service.outbound.deadline import Deadline
from cds_service.services.server_memory import ServerMemory, ServerTraits

_REFUSALS = {"status-400", "status-422", "status-501"}
"""How servers say that they don't understand a search."""
_NO_ANSWER = {"timeout", "not-reached", "connection-lost", "tls", "status-429"}


@dataclass(frozen=True)
class KnownServer:
    """A server, what is known of it, and until when this call may ask it."""

    server: FhirServer
    base_url: str
    memory: ServerMemory
    deadline: Deadline
    _narrowing: dict[str, threading.Lock] = field(default_factory=dict)

    def fetch(self, query: str, needed: bool = False) -> Fetched:
        """All pages of a read or search.

        Args:
            query: relative to the base, percent-encoded.
            needed: nothing found means that nothing is there, so that it must be certain.
        """
        form, fetched = self._understood(query)
        return self._certain(query, fetched) if needed and not form.unlisted and not fetched.failed else fetched

    def follow(self, page: Unpacked, resource_type: str) -> Fetched:
        """A page that is had already, and those that follow it."""
        return self.server.follow(page, resource_type)

    def introduce(self) -> None:
        """Ask for the CapabilityStatement where that is due, once an hour and by one call for all; or wait for it."""
        asked_at = self._now
        if not self.memory.is_to_ask(self.base_url, asked_at):
            self.memory.await_introduction(self.base_url, self.deadline.remaining())
            return
        told = self.server.capabilities()
        if told.reason in _NO_ANSWER or told.reason.startswith("status-5"):
            self.memory.learn(self.base_url, lambda known: known.not_having_answered(asked_at))
            return
        capabilities = read_capabilities(told.entries[0].resource) if told.entries else None
        self.memory.learn(self.base_url, lambda known: known.having_told(capabilities, asked_at))

    def offers_panels(self, query: str) -> bool:
        """Whether Observations can also be searched by the codes of their components, as far as is known."""
        offered = self._traits.capabilities.panel_parameter is not None
        return offered and bool(listed_codes(query)) and not self._form(query).unlisted

    def fetch_panels(self, query: str) -> Fetched:
        """What the same search finds by the codes of components; nothing from a server that refuses to."""
        parameter = self._traits.capabilities.panel_parameter
        if parameter is None:
            return Fetched()
        _, fetched = self._understood(by_component(query, parameter))
        if fetched.reason in _REFUSALS:
            self.memory.learn(self.base_url, ServerTraits.without_panel_parameter)
            return Fetched()
        return fetched

    @property
    def is_introduced(self) -> bool:
        """Whether it was asked what it offers, and has answered or failed to."""
        return self._traits.introduced

    @property
    def is_to_introduce(self) -> bool:
        """Whether it is time to ask it, for the first time or again."""
        return not self._traits.introduced or self._traits.ask_after <= self._now

    def _understood(self, query: str) -> tuple[SearchForm, Fetched]:
        """The answer to the usual form of a search, to a narrower one where that is refused, else the refusal."""
        usual = self._form(query)
        fetched = self._ask(usual.put(query), query)
        if fetched.reason not in _REFUSALS:
            return usual, fetched
        with self._narrowing.setdefault(resource_type_of(query), threading.Lock()):  # who waits here learns meanwhile
            for form in forms_after(usual, query, self._form(query)):
                answer = self._ask(form.put(query), query)
                if not answer.failed:
                    self._learn_form(resource_type_of(query), form)
                    return form, answer
        return usual, fetched

    def _ask(self, put: str, query: str) -> Fetched:
        """The answer to a query in some form, without what the advertised one would not have found."""
        fetched = self.server.fetch(put)
        if listed_codes(query) and not listed_codes(put):
            return replace(fetched, entries=with_codes(fetched.entries, listed_codes(query)))
        return fetched

    def _certain(self, query: str, fetched: Fetched) -> Fetched:
        """Some servers take a list of codes for one code and find nothing: looked after once, until it shows better."""
        codes = listed_codes(query)
        if len(codes) < 2 or self._traits.knows_lists:
            return fetched
        if shows_lists(fetched.entries, codes):
            self.memory.learn(self.base_url, lambda known: replace(known, knows_lists=True))
            return fetched
        is_of_first_code = with_codes(fetched.entries, codes[:1]) == fetched.entries
        return self._without_list(query, fetched) if is_of_first_code else fetched

    def _without_list(self, query: str, fetched: Fetched) -> Fetched:
        wider = UNLISTED.put(query)
        known = {entry.resource.get("id") for entry in fetched.entries}
        glance = with_codes(self.server.fetch(wider, pages=1).entries, listed_codes(query))
        if all(entry.resource.get("id") in known for entry in glance):
            return fetched
        self._learn_form(resource_type_of(query), UNLISTED)
        whole = self._ask(wider, query)
        return replace(fetched, complete=False) if whole.failed else whole

    def _learn_form(self, resource_type: str, form: SearchForm) -> None:
        self.memory.learn(self.base_url, lambda known: known.understanding(resource_type, form, self._now))

    def _form(self, query: str) -> SearchForm:
        return self._traits.form_of(resource_type_of(query), self._now)

    @property
    def _traits(self) -> ServerTraits:
        return self.memory.of(self.base_url)

    @property
    def _now(self) -> float:
        return self.deadline.clock()
