"""What results share is decoded and read once, and changes no answer: each is read as if it were alone.

The plain way, which decodes every part for itself, is the reference.
"""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.payload import COUNTS, call_with, observation
from cds_service.cds_hooks.shared_parts import SharingDecoder
from tests.builders import chart
from tests.fuzz.effort import EFFORT
from tests.services.test_skimming import answer

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
    "effectiveDateTime": ["2026-01-14", "2026-01-14T08:00:00", "2026-01", "2026-02-30", " 2026-01-13T08:00:00Z ", 2026],
    "issued": ["2026-01-14T09:00:00Z", "2026-01", None],
    "note": [[{"text": "platelet aggregates seen"}], [{"text": "no clumps"}]],
    "specimen": [{"reference": "Specimen/1"}, {"display": "Urine"}],
    "modifierExtension": [[{"url": "http://example.org/x", "valueBoolean": True}]],
    "valueString": ["see note"],
}
CHANGES = st.sampled_from([(name, other) for name, others in OTHERS.items() for other in others])
RESULTS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40), st.lists(CHANGES, max_size=2)), max_size=12)


def result(number: int, kind: int, days: int, changes: list[tuple[str, Any]]) -> dict[str, Any]:
    """A count as a hospital sends it, with the usual furniture, some of it changed."""
    code, name, unit, value = COUNTS[kind]
    when = chart.AS_OF.replace(hour=8) - timedelta(days=days + 1)
    return observation(number, code, name, unit, value, when) | dict(changes)


@settings(max_examples=200 * EFFORT, derandomize=EFFORT == 1, deadline=None, suppress_health_check=list(HealthCheck))
@given(RESULTS)
def test_results_that_share_elements_are_answered_as_if_each_were_alone(
    made: list[tuple[int, int, list[tuple[str, Any]]]],
) -> None:
    body = call_with([result(number, *one) for number, one in enumerate(made)])
    assert answer(body, plainly=False) == answer(body, plainly=True)


@pytest.mark.parametrize("element", sorted(set(OTHERS) - {"effectiveDateTime", "issued"}))
def test_results_do_share_what_is_spelled_alike(element: str) -> None:
    changed = [(element, OTHERS[element][0])]
    decode: Any = SharingDecoder()
    first, second = (
        decode(msgspec.Raw(json.dumps({"resource": result(number, 0, number, changed)}).encode())) for number in (1, 2)
    )
    assert first["resource"][element] is second["resource"][element]
    assert first["resource"]["id"] != second["resource"]["id"]
