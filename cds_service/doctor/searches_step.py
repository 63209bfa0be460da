"""Second step: the reads and searches of a call, one by one. They were made by the service's own gathering."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cds_service.doctor.answers import reason_of, unpacked
from cds_service.doctor.failures import failure_of
from cds_service.doctor.listening import Exchange
from cds_service.doctor.steps import Outcome, Step, worst
from cds_service.fhir_reading.server import resource_type_of
from cds_service.services.gathering import Gathered


@dataclass(frozen=True)
class Search:
    """One prefetch key: what was asked first, what came, and what gathering made of it (None: it gave up)."""

    key: str
    query: str
    exchange: Exchange | None
    gathered: Gathered | None

    @property
    def resource_type(self) -> str:
        """What was asked for."""
        return resource_type_of(self.query)

    @property
    def reason(self) -> str:
        """Why the first form of the query gave nothing."""
        return reason_of(self.exchange, self.resource_type) if self.exchange else "timeout"

    @property
    def failed(self) -> bool:
        """Whether nothing was had in any form."""
        return self.key in self.gathered.not_available if self.gathered else bool(self.reason)

    @property
    def found(self) -> int:
        """How many resources came."""
        if self.gathered:
            return len(self.gathered.entries[self.key])
        return len(unpacked(self.exchange, self.resource_type).entries) if self.exchange else 0

    @property
    def milliseconds(self) -> float:
        """How long the key took."""
        fetched = self.gathered.fetched_ms if self.gathered else {}
        return fetched.get(self.key, self.exchange.milliseconds if self.exchange else 0.0)


def searches_of(queries: Mapping[str, str], heard: Sequence[Exchange], gathered: Gathered | None) -> tuple[Search, ...]:
    """The searches by prefetch key; `queries` as they stand in `heard`."""
    first = {exchange.query: exchange for exchange in reversed(heard)}
    return tuple(Search(key, query, _exchange(first, query), gathered) for key, query in queries.items())


def _exchange(first: Mapping[str, Exchange], query: str) -> Exchange | None:
    return first.get(query) or first.get(f"{resource_type_of(query)}/_search")


def searches_step(searches: Sequence[Search], requests: int, patient_id: str, budget_ms: int) -> Step:
    """What each search gave, and whether it was in time for the service."""
    slowest = max((search.milliseconds for search in searches), default=0.0)
    late = slowest > budget_ms
    told = f"The slowest took {slowest:.0f} ms, and the service waits {budget_ms} ms in all (CDS_TIME_BUDGET_MS)."
    outcomes = [Outcome.PROBLEM if search.failed or late else Outcome.FINE for search in searches]
    outcomes += [Outcome.NOTE for search in searches if search.reason or _cut(search)]
    return Step(
        "The searches",
        worst(outcomes),
        (*(_line(search) for search in searches), f"{requests} requests in all.", *((told,) if late else ())),
        tuple(dict.fromkeys((*_advice(searches, patient_id), *(_SLOW if late else ())))),
        {search.key: _facts(search) for search in searches},
    )


_SLOW = ("Raise CDS_TIME_BUDGET_MS as far as the EHR waits, or have the EHR send prefetch.",)


def _line(search: Search) -> str:
    name = f"{search.key} ({search.resource_type})"
    if search.failed:
        return f"{name}: failed after {search.milliseconds:.0f} ms. {failure_of(search.reason).says}"
    narrower = "; the server refused the usual form, a narrower one worked" if search.reason else ""
    cut = "; more are there that could not be had" if _cut(search) else ""
    return f"{name}: {search.found} found in {search.milliseconds:.0f} ms{narrower}{cut}."


def _cut(search: Search) -> bool:
    return search.gathered is not None and search.key in search.gathered.incomplete


def _advice(searches: Sequence[Search], patient_id: str) -> Iterator[str]:
    for search in searches:
        if search.failed and search.resource_type == "Patient" and search.reason in ("status-404", "status-410"):
            yield f"There is no Patient/{patient_id} here: check that the id and the server belong together."
        elif search.failed:
            yield failure_of(search.reason, search.resource_type).advice


def _facts(search: Search) -> Mapping[str, object]:
    failed = {"reason": search.reason or "not-available"} if search.failed else {"found": search.found}
    return {"resourceType": search.resource_type, "milliseconds": search.milliseconds, **failed}
