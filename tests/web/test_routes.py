"""What reaches the service and the store, and what comes back when they refuse."""

import pytest
from flask.testing import FlaskClient

from cds_service.cds_hooks.errors import CallRefused, DataNotAvailable
from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import FEEDBACK, SERVICE, accepted, overridden, post, valid_call
from tests.builders.fake_service import AS_OF, SERVICE_ID, FakeService, FakeStore


def test_the_time_of_a_call_is_the_edges_and_is_read_once(client: FlaskClient, service: FakeService) -> None:
    post(client, valid_call())
    ((request, as_of),) = service.calls
    assert as_of == AS_OF
    assert request.context.patient_id == "synthetic-1"


def test_feedback_is_stored_before_it_is_acknowledged(client: FlaskClient, store: FakeStore) -> None:
    assert post(client, {"feedback": [accepted(), overridden()]}, FEEDBACK).status_code == 200
    assert [(entry.outcome, at, service) for entry, at, service in store.stored] == [
        ("accepted", AS_OF, SERVICE_ID),
        ("overridden", AS_OF, SERVICE_ID),
    ]


def test_feedback_that_cannot_be_stored_is_not_acknowledged(client: FlaskClient, store: FakeStore) -> None:
    store.down = True
    answer = post(client, {"feedback": [accepted()]}, FEEDBACK)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert_operation_outcome(answer.get_json(force=True))


def test_an_invalid_entry_stores_nothing_of_its_report(client: FlaskClient, store: FakeStore) -> None:
    assert post(client, {"feedback": [accepted(), {}]}, FEEDBACK).status_code == 400
    assert store.stored == []


def test_missing_data_are_412_and_say_so(client: FlaskClient, service: FakeService) -> None:
    service.failure = DataNotAvailable("Blood counts are missing.", ("counts",))
    answer = post(client, valid_call())
    assert answer.status_code == 412
    assert answer.get_json(force=True)["issue"][0]["diagnostics"] == "Blood counts are missing."


@pytest.mark.parametrize(
    "failure", [ValueError("Marker^Name"), RecursionError(), MemoryError(), KeyError("Marker^Name")]
)
def test_an_unexpected_failure_is_500_with_a_reference_and_nothing_else(
    client: FlaskClient, service: FakeService, failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    service.failure = failure
    answer = post(client, valid_call())
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert_operation_outcome(answer.get_json(force=True))
    reference = answer.get_json(force=True)["issue"][0]["diagnostics"].split()[-1].rstrip(".")
    assert len(reference) == 16
    out = "".join(capsys.readouterr())
    assert reference in out, "the operator finds it in the log"
    assert type(failure).__name__ in out
    assert "Marker" not in out + text


def test_a_refusal_of_a_kind_nobody_mapped_is_still_a_refusal(client: FlaskClient, service: FakeService) -> None:
    service.failure = CallRefused("Not like this.")
    assert post(client, valid_call()).status_code == 400


def test_the_service_is_not_called_for_an_invalid_request(client: FlaskClient, service: FakeService) -> None:
    client.post(SERVICE, data=b"{}", content_type="application/json")
    assert service.calls == []
