"""What is remembered of FHIR servers: for a while, of so many, and never in the way of a call."""

from dataclasses import replace

from cds_service.fhir_reading.capabilities import Capabilities
from cds_service.fhir_reading.search_forms import AS_ADVERTISED, UNLISTED
from cds_service.services.server_memory import (
    ASK_AGAIN_SECONDS,
    REMEMBERED_SECONDS,
    SERVERS_AT_MOST,
    ServerMemory,
)

BASE, NOW = "https://ehr.example.org/fhir", 1000.0
PANELS = Capabilities(panel_parameter="component-code")


def test_a_form_is_used_for_an_hour_and_the_advertised_one_is_tried_again() -> None:
    memory = ServerMemory()
    memory.learn(BASE, lambda known: known.understanding("Observation", UNLISTED, NOW))
    traits = memory.of(BASE)
    assert traits.form_of("Observation", NOW + REMEMBERED_SECONDS - 1) is UNLISTED
    assert traits.form_of("Observation", NOW + REMEMBERED_SECONDS) is AS_ADVERTISED
    assert traits.form_of("Condition", NOW) is AS_ADVERTISED


def test_one_call_at_a_time_asks_a_server_about_itself() -> None:
    memory = ServerMemory()
    assert [memory.is_to_ask(BASE, NOW) for _ in range(3)] == [True, False, False]
    memory.learn(BASE, lambda known: known.having_told(None, NOW))
    assert not memory.is_to_ask(BASE, NOW + REMEMBERED_SECONDS - 1)
    assert memory.is_to_ask(BASE, NOW + REMEMBERED_SECONDS)


def test_a_server_that_did_not_answer_is_asked_again_before_long_and_nobody_waits_for_it() -> None:
    memory = ServerMemory()
    assert memory.is_to_ask(BASE, NOW)
    memory.learn(BASE, lambda known: known.not_having_answered(NOW))
    assert memory.of(BASE).introduced
    assert not memory.is_to_ask(BASE, NOW + ASK_AGAIN_SECONDS - 1)
    assert memory.is_to_ask(BASE, NOW + ASK_AGAIN_SECONDS)


def test_what_was_told_once_stays_until_it_is_told_otherwise() -> None:
    memory = ServerMemory()
    memory.learn(BASE, lambda known: known.having_told(PANELS, NOW))
    for forgetful in (lambda known: known.having_told(None, NOW), lambda known: known.not_having_answered(NOW)):
        memory.learn(BASE, forgetful)
        assert memory.of(BASE).capabilities == PANELS
    memory.learn(BASE, lambda known: known.having_told(Capabilities(), NOW))
    assert memory.of(BASE).capabilities == Capabilities()


def test_only_so_many_servers_are_remembered() -> None:
    memory = ServerMemory()
    for number in range(SERVERS_AT_MOST + 3):
        memory.learn(f"{BASE}/{number}", lambda known: replace(known, knows_lists=True))
        memory.learn(f"{BASE}/{number}", lambda known: known)
    remembered = [number for number in range(SERVERS_AT_MOST + 3) if memory.of(f"{BASE}/{number}").knows_lists]
    assert remembered == list(range(3, SERVERS_AT_MOST + 3))


def test_a_call_beside_the_introduction_waits_for_it_no_longer_than_it_may() -> None:
    memory = ServerMemory()
    memory.await_introduction(BASE, 0.01)
    assert not memory.of(BASE).introduced
    memory.learn(BASE, lambda known: known.having_told(PANELS, NOW))
    memory.await_introduction(BASE, 60)
