"""Results spelled alike are read by what was read of the first, and change no answer: each is read as if it were alone.

The plain way, which decodes and reads every element of every result, is the reference.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.payload import COUNTS, call_with, observation
from cds_service.cds_hooks.strict_json import decode_call
from cds_service.fhir_reading.alike import Alike
from cds_service.fhir_reading.entries import Entry, unpack
from tests.builders import chart
from tests.fuzz.effort import EFFORT
from tests.services.test_skimming import REVIEW, answer

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
WBC = {"system": LOINC, "code": "6690-2", "display": "Leukocytes"}
PLT = {"system": LOINC, "code": "777-3", "display": "Platelets"}
OTHERS: dict[str, list[Any]] = {
    "status": ["amended", "preliminary", "entered-in-error", " final", 1, ["final"]],
    "code": [
        {"coding": [WBC]},
        {"coding": [WBC, PLT]},
        {"coding": [WBC], "text": "Leukocytes in urine"},
        {"coding": PLT},
        {"coding": [WBC, {"system": LOINC, "code": 1}]},
    ],
    "category": [[{"text": "Pleural fluid"}], {"text": "laboratory"}, "laboratory"],
    "method": [{"text": "CSF"}, {"coding": [{"display": "Automated"}]}],
    "subject": [{"reference": "Patient/another"}, {"reference": " Patient/synthetic-1"}, {"display": "someone"}, "x"],
    "interpretation": [[{"text": "Platelet clumps present"}], {"text": "L"}, [], "L", [{"coding": [{"code": "L"}]}]],
    "referenceRange": [[{"text": "4-11"}], {"low": {"value": 4.0, "unit": "10*3/uL"}}, [], "4-11"],
    "valueQuantity": [
        {"value": value, "unit": unit, "system": UCUM, "code": unit}
        for value in (2.9, 2.90001, 3, 88, 40000, -1, "2.9", True)
        for unit in ("10*3/uL", "10*9/L", "/uL", "mg/dL")
    ],
    "effectiveDateTime": [
        "2026-01-14",
        "2026-01-14T08:00:00",
        "2026-01",
        "2026-02-30",
        " 2026-01-13T08:00:00Z ",
        "2026-12-01",
        2026,
    ],
    "issued": ["2026-01-14T09:00:00Z", "2026-01", None],
    "note": [[{"text": "platelet aggregates seen"}], [{"text": "no clumps"}]],
    "specimen": [
        {"reference": "Specimen/1"},
        {"display": "Urine"},
        {"reference": "#1"},
        {"identifier": {"value": "1"}},
    ],
    "bodySite": [{"text": "Ascites"}, {"text": "Arm"}],
    "modifierExtension": [[{"url": "http://example.org/x", "valueBoolean": True}]],
    "implicitRules": ["http://example.org/rules"],
    "valueString": ["see note"],
    "valueInteger": [3],
    "dataAbsentReason": [{"text": "unknown"}],
    "component": [[{"code": {"coding": [PLT]}, "valueQuantity": {"value": 40, "unit": "10*9/L"}}]],
    "contained": [[{"resourceType": "Specimen", "id": "1", "type": {"text": "Urine"}}]],
    "effectivePeriod": [{"start": "2026-01-14T08:00:00Z"}],
    "comment": ["no clumps seen"],
    "extension": [[{"url": "http://example.org/x", "valueString": "y"}]],
    "id": ["same", " same ", "", None, 7],
    "meta": [{"lastUpdated": "2026-01-15T09:00:00Z"}, {"versionId": "7"}, None],
}
SPELLED = [
    ('"status": "final"', '"status": "amended", "status": "final"'),
    ('"status": "final"', '"status": "final", "status": "entered-in-error"'),
    ('"status": "final"', '"status": "fin\\u0061l"'),
    ('"performer": ', '"performer": [], "performer": '),
    ('"issued": ', '"issued": "2026-01-14T09:00:00Z", "issued": '),
    ('"valueQuantity": {', '"valueQuantity": {"unit": "/uL", '),
    ('"valueQuantity": {"value": ', '"valueQuantity": {"value": 1'),
    ('"valueQuantity": {"value": ', '"valueQuantity": {"value": 1e1, "valu": '),
    ('"valueQuantity": {"value": ', '"valueQuantity": {"value": 0.00000000000000000000000000000000000'),
    ('"valueQuantity": {', '"valueQuantity": { '),
    ('"resourceType": "Observation"', '"resourceType": "Observation", "resourceType": "Observation"'),
    ('"id": ', '"id": "another", "id": '),
]
"""What JSON allows, or doesn't, and no decoded object can show."""
KINDS = [*COUNTS, ("718-7", "Hemoglobin", "g/dL", 13.1)]
CHANGES = st.sampled_from([(name, other) for name, others in OTHERS.items() for other in others])
RESULTS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 40),
        st.lists(CHANGES, max_size=2),
    ),
    max_size=12,
)
URINE = {"resource": {"resourceType": "Specimen", "id": "1", "type": {"text": "Urine"}}}


def result(number: int, kind: tuple[str, str, str, float], days: int, changes: list[tuple[str, Any]]) -> dict[str, Any]:
    """A result as a hospital sends it, with the usual furniture, some of it changed."""
    code, name, unit, value = kind
    when = chart.AS_OF.replace(hour=8) - timedelta(days=days + 1)
    return observation(number, code, name, unit, round(value + number / 10, 1), when) | dict(changes)


@settings(max_examples=300 * EFFORT, derandomize=EFFORT == 1, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    RESULTS, st.sampled_from(["counts", "companions"]), st.booleans(), st.lists(st.sampled_from(SPELLED), max_size=1)
)
def test_results_that_are_alike_are_answered_as_if_each_were_alone(
    made: list[Any], key: str, with_urine: bool, spelled: list[tuple[str, str]]
) -> None:
    results = [result(number, *one) for number, one in enumerate(made)]
    call = json.loads(call_with(results[::2]))
    others = [{"resource": one} for one in results[1::2]] + [URINE] * with_urine
    call["prefetch"][key] = {**call["prefetch"][key], "entry": call["prefetch"][key].get("entry", []) + others}
    body = json.dumps(call)
    for sent, (usual, odd) in zip(results[-1:], spelled, strict=False):
        text = json.dumps(sent)
        body = body.replace(text, text.replace(usual, odd, 1), 1)
    assert answer(body.encode(), plainly=False) == answer(body.encode(), plainly=True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[1])
@pytest.mark.parametrize("name", OTHERS)
def test_whatever_is_odd_about_a_result_shows_beside_one_that_is_like_it(
    name: str, kind: tuple[str, str, str, float]
) -> None:
    for other in OTHERS[name]:
        results = [result(0, kind, 0, []), result(1, kind, 1, []), result(2, kind, 2, [(name, other)])]
        call = json.loads(call_with(results))
        call["prefetch"]["counts"]["entry"].append(URINE)
        body = json.dumps(call).encode()
        assert answer(body, plainly=False) == answer(body, plainly=True)


@pytest.mark.parametrize(("usual", "odd"), SPELLED)
def test_whatever_is_odd_about_its_spelling_shows_too(usual: str, odd: str) -> None:
    results = [result(number, COUNTS[0], number, []) for number in range(3)]
    text = json.dumps(results[-1])
    assert usual in text
    body = call_with(results).replace(text.encode(), text.replace(usual, odd, 1).encode())
    assert answer(body, plainly=False) == answer(body, plainly=True)


def entries(*results: dict[str, Any]) -> list[Entry]:
    """What is made of results sent in one Bundle."""
    prefetch: Any = decode_call(call_with(list(results)))["prefetch"]
    return list(unpack(REVIEW.skimmer.skim(prefetch, chart.PATIENT).documents["counts"]).entries)


def test_results_are_told_alike_whatever_is_their_own() -> None:
    own = {"specimen": [{"reference": "Specimen/2"}], "encounter": {"reference": "Encounter/2"}, "language": "de"}
    first, second = (result(number, COUNTS[0], number, []) for number in (1, 2))
    assert [type(one) for one in entries(first, second, second | own)] == [Entry, Alike, Alike]
    assert [type(one) for one in entries(first, second | {"status": "amended"})] == [Entry, Entry]


def test_all_of_a_result_that_is_like_another_is_there_for_who_asks() -> None:
    first, second = (result(number, COUNTS[0], number, []) for number in (1, 2))
    _, alike = entries(first, second)
    assert (alike.resource_type, alike.resource_id) == (second["resourceType"], second["id"])
    assert json.loads(json.dumps(alike.resource, default=float)) == second
