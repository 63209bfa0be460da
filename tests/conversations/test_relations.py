"""What must not change the answer, and what must change nothing else: generated charts, through the whole service.

Two answers are the same when their extensions are, but for texts that repeat the record's own spelling.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.builders import chart
from tests.builders.conversation import SERVICE

ASSESSMENT = "org.cytopenia-cds.assessment"
AS_SPELLED = {"effective", "reported"}
"""Members that repeat the record's spelling; the fingerprint reads values and times, not their spelling."""
UNRELATED: list[dict[str, Any]] = [
    {"resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/synthetic-1"}},
    chart.observation({"hb": 13.1, "id": "hb"}, 0)
    | {"code": {"coding": [{"system": "http://loinc.org", "code": "1"}]}},
    {"resourceType": "Practitioner", "id": "d1"},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]},
]
UNITS = {unit: Decimal(factor) for unit, factor in (("10*9/L", 1), ("/uL", 1000), ("10*2/uL", 10), ("K/uL", 1))}
LIMITED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Chart = list[dict[str, Any]]


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Up to eight results of the last 100 days, no two of them on one day, some of them unreadable."""
    days = draw(st.lists(st.integers(1, 100), unique=True, max_size=8))
    made = []
    for number, day in enumerate(days):
        kind, tenths = draw(st.sampled_from([("wbc", 80), ("plt", 4000)]))
        note = {kind: draw(st.integers(1, tenths)) / 10, "days": day, "id": f"o{number}"}
        spoilt = draw(st.sampled_from([{}, {}, {}, {"unit": "mg/dL"}, {"status": "cancelled"}, {"status": "unknown"}]))
        made.append(chart.observation(note | spoilt, number))
    return made


def prefetch(sent: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return chart.prefetch([]) | {"counts": chart.searchset(sent)}


def answer(client: FlaskClient, prefetched: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(chart.call(prefetched), default=float)
    response = client.post(SERVICE, data=body, content_type="application/json")
    assert response.status_code == 200, response.get_data(as_text=True)
    assessment = response.get_json()["extension"][ASSESSMENT]
    return dict(_unspelled(assessment), indicators=[card["indicator"] for card in response.get_json()["cards"]])


def _unspelled(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _unspelled(value) for name, value in part.items() if name not in AS_SPELLED}
    return [_unspelled(value) for value in part] if isinstance(part, list) else part


def verdicts(answered: dict[str, Any]) -> dict[str, str]:
    return {finding["finding"]: finding["verdict"] for finding in answered["findings"]}


@LIMITED
@given(charts(), st.randoms(use_true_random=False))
def test_order_repeats_and_unrelated_resources_change_nothing(client: FlaskClient, sent: Chart, chance: Any) -> None:
    expected = answer(client, prefetch(sent))
    shuffled = [*sent, *UNRELATED, *chance.sample(sent, len(sent) // 2)]
    chance.shuffle(shuffled)
    assert answer(client, prefetch(shuffled)) == expected


@LIMITED
@given(charts(), st.integers(0, 8))
def test_where_in_the_prefetch_a_result_stands_changes_nothing(client: FlaskClient, sent: Chart, at: int) -> None:
    assume(sent)
    expected = answer(client, prefetch(sent))
    pages = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [
            {"resource": chart.searchset(part), "response": {"status": "200"}} for part in (sent[:at], sent[at:])
        ],
    }
    assert answer(client, prefetch([]) | {"counts": pages}) == expected
    # The companions' key is answered from the same laboratory: what comes with it counts, where counts came at all.
    assert answer(client, prefetch(sent[:at]) | {"companions": chart.searchset([*UNRELATED, *sent[at:]])}) == expected


@LIMITED
@given(charts(), st.sampled_from(sorted(UNITS)))
def test_another_unit_with_the_value_converted_changes_nothing(client: FlaskClient, sent: Chart, unit: str) -> None:
    other = deepcopy(sent)
    for one in other:
        quantity = one["valueQuantity"]
        if quantity["unit"] == "10*3/uL":
            quantity |= {"value": Decimal(str(quantity["value"])) * UNITS[unit], "unit": unit, "code": unit}
    assert answer(client, prefetch(other)) == answer(client, prefetch(sent))


@LIMITED
@given(charts(), st.integers(-11, 11))
def test_another_zone_of_the_same_instant_and_date_changes_nothing(
    client: FlaskClient, sent: Chart, hours: int
) -> None:
    other = deepcopy(sent)
    for one in other:  # noon UTC is of one date from -11 to +11
        instant = datetime.fromisoformat(one["effectiveDateTime"]).astimezone(UTC)
        assert instant.hour == 12
        one["effectiveDateTime"] = instant.astimezone(timezone(timedelta(hours=hours))).isoformat()
    assert answer(client, prefetch(other)) == answer(client, prefetch(sent))


@LIMITED
@given(charts(), st.sampled_from(["Patient/somebody-else", "Patient/Synthetic-1", "#p"]))
def test_what_is_not_the_patients_changes_no_verdict(client: FlaskClient, sent: Chart, subject: str) -> None:
    foreign = [one | {"id": f"x{one['id']}", "subject": {"reference": subject}} for one in sent]
    assert verdicts(answer(client, prefetch([*foreign, *sent]))) == verdicts(answer(client, prefetch(sent)))


@LIMITED
@given(st.integers(40, 110), st.integers(1, 39), st.integers(0, 30), st.booleans())
def test_a_normal_count_falling_below_the_limit_changes_its_finding_alone(
    client: FlaskClient, normal: int, low: int, older_days: int, confirmed: bool
) -> None:
    """Platelets stay normal: leukopenia alone is new, and present only where a low one lies seven days before."""
    older = chart.observation({"wbc": 3.0 if confirmed else 5.0, "days": 1 + older_days, "id": "older"}, 0)
    platelets = chart.observation({"plt": 200, "days": 1, "id": "p"}, 0)
    assume(older_days > 0)

    def verdicts_with(tenths: int) -> dict[str, str]:
        newest = chart.observation({"wbc": tenths / 10, "days": 1, "id": "newest"}, 0)
        return verdicts(answer(client, prefetch([older, platelets, newest])))

    before, after = verdicts_with(normal), verdicts_with(low)
    assert before == {"leukopenia": "absent", "thrombocytopenia": "absent", "bicytopenia": "absent"}
    expected = "present" if confirmed and older_days >= 7 else "unconfirmed"
    assert after == before | {"leukopenia": expected}


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, Chart, int]:
    """Counts of one analyte, the first and the last of them low, one between them that is normal; its place."""
    finding, kind, low, normal = draw(
        st.sampled_from(
            [("leukopenia", "wbc", (1, 39), (40, 99)), ("thrombocytopenia", "plt", (1, 1499), (1500, 4000))]
        )
    )
    days = sorted(draw(st.lists(st.integers(1, 90), unique=True, min_size=3, max_size=7)))
    at = draw(st.integers(1, len(days) - 2))
    kinds = [draw(st.sampled_from([low, normal])) for _ in days]
    kinds[0], kinds[-1], kinds[at] = low, low, normal
    values = [draw(st.integers(*bounds)) / 10 for bounds in kinds]
    notes = [{kind: value, "days": day, "id": f"o{day}"} for value, day in zip(values, days, strict=True)]
    return finding, [chart.observation(note, 0) for note in notes], at


@LIMITED
@given(runs())
def test_removing_a_normal_result_between_two_lows_only_extends_the_run(
    client: FlaskClient, sent: tuple[str, Chart, int]
) -> None:
    finding, results, at = sent
    before = answer(client, prefetch(results))
    after = answer(client, prefetch([*results[:at], *results[at + 1 :]]))
    run_before, run_after = (_references(answered, finding) for answered in (before, after))
    assert run_after[: len(run_before)] == run_before
    assert verdicts(before)[finding] != "present" or verdicts(after)[finding] == "present"


def _references(answered: dict[str, Any], finding: str) -> list[str]:
    found = next(one for one in answered["findings"] if one["finding"] == finding)
    return [result["reference"] for result in found["results"]]
