"""What each content of a prefetch key leads to: the rows PRE-1 to PRE-20 of the conformance checklist at this level."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.request import AccessToken, CdsRequest, FhirAuthorization, PatientViewContext
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.services.fhir_access import ListedServers
from cds_service.services.gathering import Gathered, gather
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub, outcome, resource, searchset

QUERIES = {
    "patient": "Patient/{{context.patientId}}",
    "counts": "Observation?patient={{context.patientId}}&code=http://loinc.org|6690-2&_sort=-date&_count=100",
    "companions": "Observation?patient={{context.patientId}}&code=http://loinc.org|751-8",
    "conditions": "Condition?patient={{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}",
}
REQUIRED = frozenset({"counts"})
PATIENT = resource("Patient", "p1")
COUNT, OTHER_COUNT = resource("Observation", "c1"), resource("Observation", "c2")
PREFETCH: Mapping[str, Any] = {
    "patient": PATIENT,
    "counts": searchset(COUNT),
    "companions": searchset(),
    "conditions": searchset(resource("Condition", "d1")),
    "medications": None,
}
TOKEN = FhirAuthorization(AccessToken("token-of-this-call"))


def request(prefetch: Mapping[str, Any], stub: FhirStub | str | None = None, patient: str = "p1") -> CdsRequest:
    base = stub.base if isinstance(stub, FhirStub) else stub
    context = PatientViewContext("Practitioner/1", patient)
    return CdsRequest("patient-view", "i", context, base, TOKEN if base else None, prefetch)


def gathered(prefetch: Mapping[str, Any], stub: FhirStub | str | None = None, **more: Any) -> Gathered:
    access = ListedServers(HttpClient(), AllowedServers.parse(["http://127.0.0.1:*/fhir"]))
    return gather(request(prefetch, stub, **more), QUERIES, REQUIRED, access, Deadline.after(2))


def without(*keys: str, **replaced: Any) -> dict[str, Any]:
    return {key: value for key, value in {**PREFETCH, **replaced}.items() if key not in keys}


def ids(found: Gathered, key: str) -> list[object]:
    return [entry.resource["id"] for entry in found.entries[key]]


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    """A FHIR server that has one more of everything."""
    with fhir_stub(
        {
            "Patient/p1": PATIENT,
            "Observation?patient=p1&code=http://loinc.org|6690-2": searchset(OTHER_COUNT),
            "Observation?patient=p1&code=http://loinc.org|751-8": searchset(resource("Observation", "n1")),
            "Condition?patient=p1": searchset(resource("Condition", "d2")),
            "MedicationRequest?patient=p1": searchset(resource("MedicationRequest", "m1")),
        }
    ) as served:
        yield served


def test_with_every_key_supplied_no_server_is_needed_or_asked(stub: FhirStub) -> None:
    for found in (gathered(PREFETCH), gathered(PREFETCH, stub), gathered({**PREFETCH, "nobody-asked": "x"}, stub)):
        assert ids(found, "counts") == ["c1"]
        assert ids(found, "companions") == ids(found, "medications") == []
        assert (found.not_available, found.incomplete, found.fetched_ms) == ((), (), {})
    assert stub.asked == []


@pytest.mark.parametrize("prefetch", [{}, without("counts"), {"nobody-asked": searchset(COUNT)}])
def test_without_counts_and_without_access_the_call_is_refused_and_told_what_to_do(prefetch: Mapping[str, Any]) -> None:
    with pytest.raises(DataNotAvailable) as refused:
        gathered(prefetch)
    assert refused.value.missing == ("counts",)
    assert "counts: it was not sent in prefetch, and the request names no fhirServer" in refused.value.message
    assert "Send counts in prefetch as advertised, or give fhirServer" in refused.value.message


@pytest.mark.parametrize("key", ["patient", "companions", "conditions", "medications"])
@pytest.mark.parametrize(
    "content", ["absent", outcome("error"), searchset(outcome("error")), "text", 7, [], [PATIENT], {}]
)
def test_any_optional_key_may_be_missing_or_failed_and_is_named(key: str, content: Any) -> None:
    found = gathered(without(key) if content == "absent" else without(**{key: content}))
    assert found.not_available == (key,)
    assert found.entries[key] == ()
    assert ids(found, "counts") == ["c1"]


@pytest.mark.parametrize("empty", [None, searchset(), searchset(total=0), {"resourceType": "Bundle", "entry": []}])
def test_null_and_no_matches_are_satisfied_and_not_asked_again(empty: Any, stub: FhirStub) -> None:
    found = gathered(without(counts=empty), stub)
    assert found.entries["counts"] == ()
    assert found.not_available == found.incomplete == ()
    assert stub.asked == []


def test_a_patient_that_is_null_is_tolerated_named_and_not_asked_for(stub: FhirStub) -> None:
    assert gathered(without(patient=None), stub).not_available == ("patient",)
    assert stub.asked == []


@pytest.mark.parametrize("failed", [outcome("error"), outcome("fatal"), searchset(outcome("error"))])
def test_counts_that_the_client_failed_to_read_are_not_had_and_not_asked_again(failed: Any, stub: FhirStub) -> None:
    with pytest.raises(DataNotAvailable) as refused:
        gathered(without(counts=failed), stub)
    assert "OperationOutcome" in refused.value.message
    assert "SECRET" not in refused.value.message
    assert stub.asked == []


def test_a_warning_beside_matches_hides_nothing() -> None:
    assert ids(gathered(without(counts=searchset(outcome("warning"), COUNT))), "counts") == ["c1"]


@pytest.mark.parametrize(
    "nonsense", ["text", 7, True, [], [COUNT], {}, {"resourceType": 7}, PATIENT, searchset(PATIENT)]
)
def test_nonsense_is_as_good_as_not_sent(nonsense: Any, stub: FhirStub) -> None:
    with pytest.raises(DataNotAvailable):
        gathered(without(counts=nonsense))
    assert ids(gathered(without(counts=nonsense), stub), "counts") == ["c2"]


def test_swapped_shapes_are_read() -> None:
    found = gathered(without(patient=searchset(PATIENT), counts=COUNT))
    assert (ids(found, "patient"), ids(found, "counts"), found.not_available) == (["p1"], ["c1"], ())


def test_collections_and_included_resources_are_tolerated() -> None:
    collection = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": COUNT}]}
    assert ids(gathered(without(counts=collection)), "counts") == ["c1"]
    assert ids(gathered(without(counts=searchset(COUNT, PATIENT))), "counts") == ["c1", "p1"]


def test_a_next_page_without_access_is_missing_and_said_so() -> None:
    found = gathered(without(counts=searchset(COUNT, next_url="https://ehr.example.org/fhir?page=2")))
    assert (ids(found, "counts"), found.incomplete, found.not_available) == (["c1"], ("counts",), ())


def test_a_next_page_is_fetched_with_the_token_and_used(stub: FhirStub) -> None:
    stub.replies["?page=2"] = Reply(searchset(OTHER_COUNT))
    found = gathered(without(counts=searchset(COUNT, next_url=f"{stub.base}?page=2")), stub)
    assert (ids(found, "counts"), found.incomplete, list(found.fetched_ms)) == (["c1", "c2"], (), ["counts"])
    assert stub.targets == ["?page=2"]
    assert {asked.headers["Authorization"] for asked in stub.asked} == {"Bearer token-of-this-call"}


def test_a_next_page_elsewhere_gets_neither_token_nor_call(stub: FhirStub) -> None:
    with fhir_stub({"": searchset(OTHER_COUNT)}) as other:
        found = gathered(without(counts=searchset(COUNT, next_url=f"{other.base}?page=2")), stub)
        assert (ids(found, "counts"), found.incomplete) == (["c1"], ("counts",))
        assert (other.asked, stub.targets) == ([], [])


def test_a_next_page_that_fails_is_missing_and_said_so(stub: FhirStub) -> None:
    stub.replies["?page=2"] = Reply(outcome("error"), 500)
    found = gathered(
        without(conditions=searchset(PREFETCH["patient"], resource("Condition", "d1"), next_url="?page=2")), stub
    )
    assert (found.incomplete, found.not_available) == (("conditions",), ())
