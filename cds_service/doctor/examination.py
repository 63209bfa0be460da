"""The examination: the service's own review of one patient, listened to and told step by step. Knows no terminal."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.errors import CallRefused
from cds_service.cds_hooks.request import AccessToken, CdsRequest, FhirAuthorization, PatientViewContext
from cds_service.doctor.card_step import card_step, refused_step
from cds_service.doctor.codes_step import codes_step, laboratory_query
from cds_service.doctor.failures import NO_ANSWER
from cds_service.doctor.listening import Exchange
from cds_service.doctor.results_step import results_step
from cds_service.doctor.searches_step import Search, searches_of, searches_step
from cds_service.doctor.server_step import forbidden_step, server_step
from cds_service.doctor.steps import Step
from cds_service.fhir_reading.server import fill_template
from cds_service.outbound.urls import HttpUrl
from cds_service.services.cytopenia_review import CytopeniaReview, Reviewed
from cds_service.services.fetching import OpenServer


@dataclass(frozen=True)
class Case:
    """Whom to examine: a server, a patient's id on it, a token if it wants one. `budget_ms`: what the site allows."""

    base_url: str
    patient_id: str
    token: AccessToken | None
    budget_ms: int


def examine(
    case: Case, review: CytopeniaReview, heard: Sequence[Exchange], as_of: datetime, say: Callable[[str], object]
) -> Iterator[Step]:
    """Each step as soon as it is done; the first that finds no server is the last.

    Args:
        case: whom to examine.
        review: the service, allowed to call this server.
        heard: grows by every call that the service makes.
        as_of: the time of the evaluation.
        say: is told what is being done.
    """
    say("Asking the server what it offers")
    server = _open(case, review)
    if server is None:
        yield forbidden_step()
        return
    server.introduce()
    release = review.fhir(ANYONE).release_of(case.base_url)
    first = server_step(heard[0], case.base_url, release, case.token is not None)
    yield first
    if first.facts.get("reason") in NO_ANSWER:
        return
    say("Reading the chart")
    before = len(heard)
    reviewed = _reviewed(case, review, as_of)
    calls = heard[before:]
    gathered = reviewed.gathered if isinstance(reviewed, Reviewed) else None
    searches = searches_of(_queries(case, review), calls, gathered)
    yield searches_step(searches, len(calls), case.patient_id, case.budget_ms)
    yield from _what_it_means(case, review, reviewed, searches, say)


def _what_it_means(
    case: Case,
    review: CytopeniaReview,
    reviewed: Reviewed | CallRefused,
    searches: tuple[Search, ...],
    say: Callable[[str], object],
) -> Iterator[Step]:
    counts_read = False
    if isinstance(reviewed, Reviewed):
        picture, entries = reviewed.assessment.picture, chain.from_iterable(reviewed.gathered.entries.values())
        counts_read = bool(picture.counts)
        yield results_step(picture, entries, review.knowledge.causes)
    if not all(search.failed for search in searches):
        say("Looking for codes that are not read")
        if server := _open(case, review):
            fetched = server.fetch(laboratory_query(case.patient_id))
            yield codes_step(fetched, review.knowledge, counts_read)
    yield card_step(reviewed) if isinstance(reviewed, Reviewed) else refused_step(reviewed)


def _open(case: Case, review: CytopeniaReview) -> OpenServer | None:
    return review.fhir(ANYONE).open(case.base_url, case.token, review.deadline())


def _reviewed(case: Case, review: CytopeniaReview, as_of: datetime) -> Reviewed | CallRefused:
    request = CdsRequest(
        hook=review.description.hook,
        hook_instance="doctor",
        context=PatientViewContext("Practitioner/doctor", case.patient_id),
        fhir_server=case.base_url,
        fhir_authorization=FhirAuthorization(case.token) if case.token else None,
    )
    try:
        return review.review(request, ANYONE, as_of)
    except CallRefused as refusal:
        return refusal


def _queries(case: Case, review: CytopeniaReview) -> dict[str, str]:
    """The reads and searches of a call, written as they go on the wire, below the base."""
    base = str(HttpUrl.parse(case.base_url)).rstrip("/") + "/"
    filled = {
        key: fill_template(template, {"context.patientId": case.patient_id})
        for key, template in review.description.prefetch.items()
    }
    return {key: str(HttpUrl.parse(base + query)).removeprefix(base) for key, query in filled.items()}
