"""What is counted of cards and feedback, under labels of which there are few, whatever a client sends."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cds_service.cds_hooks.clients import CdsClient
from cds_service.services.registry import CallFacts
from cds_service.web.metrics import count_call
from cds_service.web.request_log import CallRecord
from tests.builders.conversation import FEEDBACK, accepted, overridden
from tests.builders.fake_service import AS_OF, FakeStore
from tests.web.conftest import MakeClient

REASONS = {("https://example.org/reasons", "known"): "already-known"}
FACTS = CallFacts({}, ("card-1",), "warning", "synthetic", {}, finding="bicytopenia")


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"{name}_total", labels) or 0.0


def reason(code: str, comment: str = "Synthetic comment") -> dict[str, Any]:
    return {"reason": {"code": code, "system": "https://example.org/reasons"}, "userComment": comment}


@pytest.fixture
def records(make_client: MakeClient) -> list[CallRecord]:
    """The record of one report with four outcomes."""
    seen: list[CallRecord] = []
    client = make_client(observers=(seen.append,), override_reasons=REASONS)
    entries = [
        accepted(),
        overridden(),
        overridden(overrideReason=reason("known")),
        overridden(overrideReason=reason("Mrs Example is known")),
    ]
    assert client.post(FEEDBACK, json={"feedback": entries}).status_code == 200
    return seen


def test_outcomes_are_told_by_our_names_of_reasons(records: list[CallRecord]) -> None:
    assert records[0].feedback_told == {
        ("accepted", ""): 1,
        ("overridden", "no-reason"): 1,
        ("overridden", "already-known"): 1,
        ("overridden", "other"): 1,
    }


def test_outcomes_are_counted_under_the_tenant(records: list[CallRecord]) -> None:
    count_call(replace(records[0], client=CdsClient("https://ehr.example.org", "metrics-1")))
    for name in ("no-reason", "already-known", "other"):
        assert counted("cds_feedback", outcome="overridden", reason=name, tenant="metrics-1") == 1
    assert counted("cds_feedback", outcome="accepted", reason="", tenant="metrics-1") == 1


def test_what_is_no_news_is_not_counted(make_client: MakeClient, store: FakeStore) -> None:
    seen: list[CallRecord] = []
    store.store = lambda *_: ()  # type: ignore[method-assign]
    make_client(observers=(seen.append,)).post(FEEDBACK, json={"feedback": [accepted()]})
    assert seen[0].feedback_told == {}
    assert seen[0].feedback_entries == 1


def test_cards_shown_and_quieted_are_counted_by_finding() -> None:
    client = CdsClient("https://ehr.example.org", "metrics-2")
    count_call(CallRecord(AS_OF, "call", client=client, facts=FACTS))
    quiet = replace(FACTS, card_ids=(), indicator=None, quieted_by="already-known")
    count_call(CallRecord(AS_OF, "call", client=client, facts=quiet))
    assert counted("cds_cards", finding="bicytopenia", indicator="warning", tenant="metrics-2") == 1
    assert counted("cds_cards_quieted", finding="bicytopenia", by="already-known", tenant="metrics-2") == 1
