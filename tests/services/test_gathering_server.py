"""What prefetch lacks comes from the request's FHIR server: only that, all at once, in time, with the token."""

import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.request import AccessToken, CdsRequest, FhirAuthorization, PatientViewContext
from cds_service.fhir_reading.server import Fetched
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.services.fhir_access import ListedServers
from cds_service.services.gathering import Gathered, gather
from tests.builders.fhir_stub import Reply, fhir_stub, outcome, resource, searchset
from tests.builders.raw_server import answer, raw_server

QUERIES = {
    "patient": "Patient/{{context.patientId}}",
    "counts": "Observation?patient={{context.patientId}}&code=http://loinc.org|6690-2,http://loinc.org|777-3&_sort=-date",
    "companions": "Observation?patient={{context.patientId}}&code=http://loinc.org|751-8",
    "conditions": "Condition?patient={{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}",
}
REPLIES: Mapping[str, Any] = {
    "Patient/p1": resource("Patient", "p1"),
    "Observation?patient=p1&code=http://loinc.org|6690-2": searchset(resource("Observation", "c1")),
    "Observation?patient=p1&code=http://loinc.org|751-8": searchset(),
    "Condition?patient=p1": searchset(resource("Condition", "d1")),
    "MedicationRequest?patient=p1": searchset(resource("MedicationRequest", "m1")),
}
COUNTS = "Observation?patient=p1&code=http://loinc.org|6690-2"


def gathered(
    base: str, prefetch: Mapping[str, Any] | None = None, seconds: float = 2.0, patient: str = "p1"
) -> Gathered:
    request = CdsRequest("patient-view", "i", PatientViewContext("Practitioner/1", patient), base, None, prefetch or {})
    access = ListedServers(HttpClient(), AllowedServers.parse(["http://127.0.0.1:*/fhir"]))
    return gather(request, QUERIES, frozenset({"counts"}), access, Deadline.after(seconds))


def refusal(base: str, **more: Any) -> str:
    with pytest.raises(DataNotAvailable) as refused:
        gathered(base, **more)
    assert refused.value.missing == ("counts",)
    assert "SECRET" not in refused.value.message
    assert "p1" not in refused.value.message
    return refused.value.message


def test_all_is_fetched_when_nothing_was_sent() -> None:
    with fhir_stub(REPLIES) as stub:
        found = gathered(stub.base + "/")
        assert {key: len(entries) for key, entries in found.entries.items()} == {
            "patient": 1, "counts": 1, "companions": 0, "conditions": 1, "medications": 1,
        }  # fmt: skip
        assert found.not_available == found.incomplete == ()
        assert set(found.fetched_ms) == set(QUERIES)
        assert all(0 < took < 2000 for took in found.fetched_ms.values())
        assert found.base_url == stub.base
        assert stub.targets == sorted(template.replace("{{context.patientId}}", "p1") for template in QUERIES.values())


def test_only_what_is_missing_is_asked_for() -> None:
    with fhir_stub(REPLIES) as stub:
        gathered(stub.base, {"patient": resource("Patient", "p1"), "counts": None, "companions": searchset()})
        assert stub.targets == ["Condition?patient=p1", "MedicationRequest?patient=p1"]


@pytest.mark.parametrize(
    "reply", [Reply(outcome("error"), 404), Reply(outcome("fatal")), Reply(b"<html>SECRET</html>", 500)]
)
def test_optional_data_that_fail_are_named_and_the_rest_is_used(reply: Reply) -> None:
    with fhir_stub({**REPLIES, "Condition?patient=p1": reply, "Patient/p1": reply}) as stub:
        found = gathered(stub.base)
        assert found.not_available == ("patient", "conditions")
        assert len(found.entries["counts"]) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(outcome("error"), 401), "refused access; check the token's scope"),
        (Reply(outcome("error"), 403), "refused access; check the token's scope"),
        (Reply(outcome("error"), 404), "(status-404)"),
        (Reply(outcome("error"), 500), "(status-500)"),
        (Reply(outcome("error")), "(outcome)"),
        (Reply(b"SECRET <html>", media_type="text/html"), "(not-fhir-json)"),
        (Reply(resource("Patient", "p1")), "(unreadable)"),
    ],
)
def test_counts_that_can_not_be_had_refuse_the_call(reply: Reply, told: str) -> None:
    with fhir_stub({**REPLIES, COUNTS: reply}) as stub:
        assert told in refusal(stub.base)


def test_a_server_that_is_gone_refuses_the_call() -> None:
    with fhir_stub() as stub:
        base = stub.base
    assert "(not-reached)" in refusal(base)


def test_every_server_that_is_not_listed_gets_the_same_answer_and_no_call() -> None:
    with fhir_stub(REPLIES) as stub:
        unlisted = [
            "https://ehr.example.org/fhir",
            stub.base + "x",
            "file:///etc/passwd",
            "gopher://x",
            "x",
            stub.base.replace("http:", "https:"),
        ]
        assert len({refusal(base) for base in unlisted}) == 1
        assert "may call" in refusal(unlisted[0])
        assert stub.asked == []


def test_an_id_that_could_change_a_query_is_never_sent() -> None:
    with fhir_stub({"": searchset(resource("Observation", "other"))}) as stub:
        assert "patientId" in refusal(stub.base, patient="p1&patient=p2")
        assert stub.asked == []


def test_missing_keys_are_fetched_side_by_side() -> None:
    together = threading.Barrier(len(QUERIES))
    replies = {key: Reply(document, wait=lambda: together.wait(2)) for key, document in REPLIES.items()}
    with fhir_stub(replies) as stub:
        assert gathered(stub.base).not_available == ()


def test_when_only_optional_data_are_late_the_rest_is_given_in_time() -> None:
    over = threading.Event()
    with fhir_stub({**REPLIES, "MedicationRequest?patient=p1": Reply(searchset(), wait=lambda: over.wait(10))}) as stub:
        started = time.monotonic()
        found = gathered(stub.base, seconds=0.4)
        assert time.monotonic() - started < 5  # 10 otherwise
        over.set()
    assert found.not_available == ("medications",)
    assert len(found.entries["counts"]) == 1
    assert found.fetched_ms["medications"] >= 390


def test_late_counts_refuse_the_call_in_time() -> None:
    over = threading.Event()
    with fhir_stub({**REPLIES, COUNTS: Reply(searchset(), wait=lambda: over.wait(10))}) as stub:
        started = time.monotonic()
        assert "did not answer in time" in refusal(stub.base, seconds=0.3)
        assert time.monotonic() - started < 5  # 10 otherwise
        over.set()


def test_what_can_not_be_interrupted_is_let_go_at_the_deadline() -> None:
    over = threading.Event()

    class Stuck:
        def open(self, *_: object) -> "Stuck":
            return self

        is_introduced, is_to_introduce = False, True

        def fetch(self, query: str, needed: bool = False) -> Fetched:  # noqa: ARG002 - the protocol's
            if "6690" not in query:
                over.wait(10)
            return Fetched()

        def follow(self, *_: object) -> Fetched:
            return Fetched()

        def offers_panels(self, _: str) -> bool:
            return False

        fetch_panels = follow

        def introduce(self) -> None:
            over.wait(10)

        def release_of(self, *_: object) -> None:
            return None

    request = CdsRequest("patient-view", "i", PatientViewContext("Practitioner/1", "p1"), "https://ehr.example.org")
    started = time.monotonic()
    found = gather(request, QUERIES, frozenset({"counts"}), Stuck(), Deadline.after(0.3))
    assert time.monotonic() - started < 5  # 10 otherwise
    over.set()
    assert found.not_available == ("patient", "companions", "conditions", "medications")


class Watched(AccessToken):
    """A token that can be seen to be gone."""


@pytest.mark.parametrize("reply", [Reply(searchset()), Reply(outcome("error"), 401), Reply(b"<html>")])
def test_the_token_is_gone_with_the_call(reply: Reply) -> None:
    access = ListedServers(HttpClient(), AllowedServers.parse(["http://127.0.0.1:*/fhir"]))
    with fhir_stub({"": reply}) as stub:
        token = Watched("token-of-this-call")
        gone = weakref.ref(token)
        context = PatientViewContext("Practitioner/1", "p1")
        authorization = FhirAuthorization(token)
        request = CdsRequest("patient-view", "i", context, stub.base, authorization)
        with contextlib.suppress(DataNotAvailable):
            gather(request, QUERIES, frozenset({"counts"}), access, Deadline.after(2))
        assert {asked.headers["Authorization"] for asked in stub.asked} == {"Bearer token-of-this-call"}
        del token, authorization, request
        over = time.monotonic() + 5
        while gone() is not None and time.monotonic() < over:  # what ran beside the call ends a moment after it
            gc.collect()
        assert gone() is None


def test_a_redirect_takes_the_token_nowhere() -> None:
    with (
        raw_server(answer()) as other,
        raw_server(answer("302 Found", headers=[f"Location: {other.base}/x"])) as server,
    ):
        assert "(status-302)" in refusal(server.base)
        assert other.connections == 0
