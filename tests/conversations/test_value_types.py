"""A count is a number: what only looks like one is set aside, and a chart with nothing else is not called normal."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import chart
from tests.builders.conversation import SERVICE

CALL = chart.call(chart.prefetch([{"wbc": 2.9, "days": 1}, {"plt": 88, "days": 1}]))


@pytest.mark.parametrize("value", [True, False, "2.9", "88", [2.9], {"value": 2.9}, None, "", "NaN", "1e2"])
def test_no_other_type_is_taken_for_a_number(client: FlaskClient, value: Any) -> None:
    call = chart.call(chart.prefetch([{"wbc": 2.9, "days": 1}, {"plt": 88, "days": 1}]))
    for entry in call["prefetch"]["counts"]["entry"]:
        entry["resource"]["valueQuantity"]["value"] = value
    answer = client.post(SERVICE, json=call).get_json()
    assert answer["cards"] == []
    verdicts = {one["verdict"] for one in answer["extension"]["org.cytopenia-cds.assessment"]["findings"]}
    assert not verdicts & {"present", "absent"}
    assert client.post(SERVICE, json=CALL).get_json()["cards"], "the same chart with numbers has a card"
