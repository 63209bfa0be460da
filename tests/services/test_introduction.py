"""A server tells its FHIR release beside a call's searches: asked once an hour, never waited for, never needed."""

import threading
import time
from typing import Any

import pytest

from cds_service.cds_hooks.request import CdsRequest, PatientViewContext
from cds_service.fhir_reading.releases import Release
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.services.fhir_access import ListedServers
from cds_service.services.gathering import gather
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub, outcome, searchset

QUERIES = {"counts": "Observation?patient={{context.patientId}}"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def access() -> ListedServers:
    return ListedServers(HttpClient(), AllowedServers.parse(["http://127.0.0.1:*/fhir"]))


def _statement(version: Any) -> dict[str, Any]:
    return {"resourceType": "CapabilityStatement", "fhirVersion": version}


def _call(access: ListedServers, stub: FhirStub, clock: Clock) -> float:
    request = CdsRequest("patient-view", "i", PatientViewContext("Practitioner/1", "p1"), stub.base)
    started = time.monotonic()
    gather(request, QUERIES, frozenset({"counts"}), access, Deadline(clock.now + 2, clock))
    return time.monotonic() - started


def _until(told: Any) -> None:
    """What runs beside a call is done a moment after it at the latest."""
    over = time.monotonic() + 5
    while not told() and time.monotonic() < over:
        threading.Event().wait(0.005)
    assert told()


@pytest.mark.parametrize(
    ("version", "release"),
    [("3.0.2", Release.STU3), ("4.0.1", Release.R4), ("4.3.0", Release.R4B), ("5.0.0", Release.R5)],
)
def test_the_release_is_learnt_beside_the_searches(access: ListedServers, version: str, release: Release) -> None:
    with fhir_stub({"Observation?": searchset(), "metadata": _statement(version)}) as stub:
        assert access.release_of(stub.base) is None
        _call(access, stub, Clock())
        _until(lambda: access.release_of(stub.base) is release)


SILENT = (
    Reply(outcome("error"), 404),
    Reply(b"<html>", media_type="text/html"),
    Reply(searchset()),
    Reply(_statement(None)),
    Reply(_statement("1.0.2")),
)


@pytest.mark.parametrize("reply", SILENT)
def test_a_server_that_tells_nothing_is_left_alone_for_an_hour(access: ListedServers, reply: Reply) -> None:
    clock = Clock()
    with fhir_stub({"Observation?": searchset(), "metadata": reply}) as stub:
        _call(access, stub, clock)
        _until(lambda: stub.introductions == 1)
        clock.now += 3599
        _call(access, stub, clock)
        assert stub.introductions == 1
        clock.now += 2
        _call(access, stub, clock)
        _until(lambda: stub.introductions == 2)
        assert access.release_of(stub.base) is None


def test_a_call_does_not_wait_for_it(access: ListedServers) -> None:
    over = threading.Event()
    slow = Reply(_statement("5.0.0"), wait=lambda: over.wait(10))
    with fhir_stub({"Observation?": searchset(), "metadata": slow}) as stub:
        assert _call(access, stub, Clock()) < 1.5
        over.set()
