"""What each state of a prefetch key leads to, without FHIR access (PRE rows)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import post, replaced, valid_call, without

BASE = valid_call()
KEYS = sorted(BASE["prefetch"])
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NO_RESOURCES: list[Any] = ["x", ["x"], 1, True, {}, ""]
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def _with(key: str, value: Any) -> dict[str, Any]:
    return replaced(BASE, value, "prefetch", key)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(without(BASE, "prefetch"), id="PRE-2"),
        pytest.param(BASE | {"prefetch": None}, id="CALL-19 null prefetch"),
        pytest.param(BASE | {"prefetch": {}}, id="PRE-3 empty"),
        pytest.param(without(BASE, "prefetch", "counts"), id="PRE-3 counts"),
        pytest.param(_with("counts", OUTCOME), id="PRE-9"),
        pytest.param(
            without(BASE, "prefetch") | {"fhirAuthorization": {"access_token": "t", "token_type": "Bearer"}},
            id="CALL-18 authorization without server",
        ),
        *(pytest.param(_with("counts", value), id=f"PRE-15 {value!r}") for value in NO_RESOURCES),
    ],
)
def test_counts_that_cannot_be_had_are_412(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = post(client, body)
    assert answer.status_code == 412, answer.get_data(as_text=True)
    outcome = answer.get_json(force=True)
    assert_operation_outcome(outcome)
    assert outcome["issue"][0]["code"] == "incomplete"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_with("counts", None), id="PRE-5"),
        pytest.param(_with("counts", EMPTY), id="PRE-7"),
        pytest.param(_with("counts", EMPTY | {"entry": []}), id="PRE-8"),
        pytest.param(_with("patient", None), id="PRE-6"),
        pytest.param(_with("unasked", "anything"), id="PRE-14"),
        *(pytest.param(without(BASE, "prefetch", key), id=f"PRE-4 {key}") for key in KEYS if key != "counts"),
        *(pytest.param(_with(key, None), id=f"PRE-5 {key}") for key in KEYS),
    ],
)
def test_data_that_do_not_exist_or_are_optional_are_200(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = post(client, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert_response_conforms(answer.get_json())


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "value",
    [
        OUTCOME,
        EMPTY | {"entry": [{"resource": OUTCOME, "search": {"mode": "outcome"}}]},
        EMPTY | {"entry": [None, {}, {"resource": None}, {"resource": {"resourceType": "Other"}}, {"resource": 7}, 7]},
        EMPTY | {"entry": {"resource": {}}},
        EMPTY | {"type": "collection"},
        EMPTY | {"type": [], "entry": [{"resource": OUTCOME | {"issue": [{"severity": {}}]}}]},
        EMPTY | {"link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]},
        EMPTY | {"link": "next"},
        {"resourceType": "Patient", "id": "synthetic-1"},
        {"resourceType": "Observation"},
        {"resourceType": ["Bundle"]},
        {"resourceType": ""},
        {"id": "x"},
        [],
        False,
    ],
    ids=str,
)
def test_odd_values_of_a_key_never_lead_to_more_than_412(client: FlaskClient, key: str, value: Any) -> None:
    """PRE-9 to PRE-12, PRE-15, PRE-16, PRE-19, ROB-8."""
    answer = post(client, _with(key, value))
    assert answer.status_code in {200, 412}, answer.get_data(as_text=True)
    if answer.status_code == 200:
        assert_response_conforms(answer.get_json())
    else:
        assert_operation_outcome(answer.get_json(force=True))
