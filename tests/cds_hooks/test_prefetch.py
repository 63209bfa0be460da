"""What each value of a prefetch key means."""

import pytest

from cds_service.cds_hooks.prefetch import PrefetchState, prefetch_state, prefetched_resource
from cds_service.cds_hooks.request import CdsRequest, PatientViewContext

BUNDLE = {"resourceType": "Bundle", "type": "searchset"}


@pytest.mark.parametrize(
    ("prefetch", "state"),
    [
        ({}, PrefetchState.ABSENT),
        ({"other": BUNDLE}, PrefetchState.ABSENT),
        ({"key": None}, PrefetchState.NULL),
        ({"key": BUNDLE}, PrefetchState.GIVEN),
        ({"key": {"resourceType": "OperationOutcome"}}, PrefetchState.FAILED),
        ({"key": {"resourceType": 7}}, PrefetchState.ABSENT),
        ({"key": {}}, PrefetchState.ABSENT),
        ({"key": "text"}, PrefetchState.ABSENT),
        ({"key": [BUNDLE]}, PrefetchState.ABSENT),
        ({"key": False}, PrefetchState.ABSENT),
    ],
)
def test_state_of_a_key(prefetch: dict[str, object], state: PrefetchState) -> None:
    request = CdsRequest("patient-view", "x", PatientViewContext("a", "b"), prefetch=prefetch)
    assert prefetch_state(request, "key") is state
    assert prefetched_resource(request, "key") == (BUNDLE if state is PrefetchState.GIVEN else None)
