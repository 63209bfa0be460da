"""The missing data of one call from its FHIR server, all at once. Knows no prefetch and no medicine.

Results that are components of a panel aren't found by the panel's code: where the server offers a search by component,
what is needed is searched so, too. A server that isn't known yet is asked what it offers beside its first searches.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from cds_service.fhir_reading.entries import Unpacked
from cds_service.fhir_reading.server import Fetched, resource_type_of
from cds_service.outbound.deadline import Deadline
from cds_service.services.side_by_side import SideBySide, Timed

_BY_CODE, _BY_COMPONENT = "by code", "by component"


@dataclass(frozen=True)
class Wanted:
    """A read or search (percent-encoded, relative to the base), and its first page where that is had already.

    `needed`: without it the call can't be answered.
    """

    query: str
    first_page: Unpacked | None = None
    needed: bool = False


class OpenServer(Protocol):
    """One FHIR server during one call, already allowed."""

    @property
    def is_introduced(self) -> bool:
        """Whether it was asked what it offers, and has answered or failed to."""
        ...

    @property
    def is_to_introduce(self) -> bool:
        """Whether it is time to ask it."""
        ...

    def introduce(self) -> None:
        """Learn what the server says of itself, or wait for who asks just now."""
        ...

    def fetch(self, query: str, needed: bool = False) -> Fetched:
        """All pages of a read or search; where it is needed, an empty answer must be certain."""
        ...

    def follow(self, page: Unpacked, resource_type: str) -> Fetched:
        """A page that is had already, and those that follow it."""
        ...

    def offers_panels(self, query: str) -> bool:
        """Whether the search can also be made by the codes of components, as far as is known."""
        ...

    def fetch_panels(self, query: str) -> Fetched:
        """What the same search finds by the codes of components."""
        ...


def fetch_all(server: OpenServer, wanted: Mapping[str, Wanted], deadline: Deadline) -> dict[str, Timed]:
    """Fetch everything wanted, by its key; what isn't there by the deadline has failed."""
    needed = {key: one.query for key, one in wanted.items() if one.needed and one.first_page is None}
    fetches, introduced = SideBySide(deadline), server.is_introduced
    running = fetches.begin({(key, _BY_CODE): _task(server, one) for key, one in wanted.items()})
    running |= fetches.begin(_in_panels(server, needed))
    introduction = [fetches.beside(server.introduce)] if server.is_to_introduce else []
    found = fetches.results(running)
    if not introduced:
        wait(introduction, timeout=_patience(fetches))
        found |= fetches.results(fetches.begin(_in_panels(server, needed)))
    return {key: _joined(found[key, _BY_CODE], found.get((key, _BY_COMPONENT))) for key in wanted}


def _task(server: OpenServer, wanted: Wanted) -> Callable[[], Fetched]:
    if wanted.first_page is not None:
        return partial(server.follow, wanted.first_page, resource_type_of(wanted.query))
    return partial(server.fetch, wanted.query, wanted.needed)


def _in_panels(server: OpenServer, queries: Mapping[str, str]) -> dict[tuple[str, str], Callable[[], Fetched]]:
    return {
        (key, _BY_COMPONENT): partial(server.fetch_panels, query)
        for key, query in queries.items()
        if server.offers_panels(query)
    }


def _patience(fetches: SideBySide) -> float:
    """Seconds for which a first call waits for the introduction: as long again as its searches took, no longer."""
    return min(fetches.milliseconds() / 1000, fetches.deadline.remaining())


def _joined(by_code: Timed, by_component: Timed | None) -> Timed:
    """What both searches found; repeats are for the reader to see."""
    if by_component is None or by_code.fetched.failed:
        return by_code
    found, more = by_code.fetched, by_component.fetched
    whole = replace(found, entries=found.entries + more.entries, complete=found.complete and more.complete)
    return Timed(whole, max(by_code.milliseconds, by_component.milliseconds))
