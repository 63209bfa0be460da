"""The counts drawn over time: each by its own unit, on the right side of the limit, and none that wasn't used."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cds_service.knowledge.loader import load_knowledge
from cds_service.sandbox.trend import read_trend
from cds_service.sandbox.trend_chart import draw_trend

KNOWLEDGE = load_knowledge(None)
LOINC, WBC, PLT = "http://loinc.org", "6690-2", "777-3"


def count(code: str, value: object, unit: str = "10*3/uL", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
        "effectiveDateTime": "2026-01-15T08:00:00+01:00",
        **more,
    }


def drawn(*observations: dict[str, Any], not_used: tuple[str, ...] = ()) -> list[tuple[str, str, bool]]:
    series = read_trend(KNOWLEDGE, observations, not_used)
    return [(one.analyte, f"{point.value:f}", point.low) for one in series for point in one.points]


CASES = [
    (count(WBC, 2.9), [("leukocytes", "2.9", True)]),
    (count(WBC, 4.0), [("leukocytes", "4.0", False)]),
    (count(PLT, 149), [("platelets", "149", True)]),
    (count(WBC, 3900, "/uL"), [("leukocytes", "3.900", True)]),
    (count(WBC, 2.9, "mg/dL"), []),
    (count(WBC, 2.9, "furlongs"), []),
    (count(WBC, 2.9, ""), []),
    (count(WBC, "low"), []),
    (count(WBC, None), []),
    (count("718-7", 10), []),
    (count(WBC, 1.8, status="entered-in-error"), []),
    (count(WBC, 2.9, effectiveDateTime="2026"), []),
    (count(WBC, 2.9, valueQuantity={"value": 4, "comparator": "<", "code": "10*3/uL"}), []),
    (count("58410-2", 1, component=[count(WBC, 2.9)]), [("leukocytes", "2.9", True)]),
]


@pytest.mark.parametrize(("observation", "expected"), CASES)
def test_a_count_is_drawn_in_its_own_unit_or_not_at_all(
    observation: dict[str, Any], expected: list[tuple[str, str, bool]]
) -> None:
    assert drawn(observation) == expected


def test_what_the_service_set_aside_is_not_drawn() -> None:
    assert drawn(count(WBC, 2.9), not_used=("Observation/o",)) == []


def test_points_are_in_time_order_in_the_records_own_wall_clock() -> None:
    observations = [
        count(WBC, 3, effectiveDateTime="2026-02-01"),
        count(WBC, 5, effectiveDateTime="2026-01-01T23:30:00-11:00"),
    ]
    (leukocytes, _) = read_trend(KNOWLEDGE, observations, ())
    assert [(p.collected.isoformat(), p.value) for p in leukocytes.points] == [
        ("2026-01-01T23:30:00", Decimal(5)),
        ("2026-02-01T00:00:00", Decimal(3)),
    ]


def test_the_drawing_tells_low_by_shape_and_takes_its_colours_from_the_page() -> None:
    now = datetime(2026, 1, 20, tzinfo=UTC)
    svg = draw_trend(read_trend(KNOWLEDGE, [count(WBC, 2.9)], ()), now)
    normal = draw_trend(read_trend(KNOWLEDGE, [count(WBC, 5.9)], ()), now)
    assert svg is not None
    assert normal is not None
    assert 'fill="var(--low)"' in svg.split("role-mark")[-2]
    assert 'fill="var(--surface)"' in normal.split("role-mark")[-2]
    assert svg.split("role-mark")[-2] != normal.split("role-mark")[-2]
    assert "style=" not in svg  # a strict content security policy drops style attributes
    assert "10*9/L, low below 4.0" in svg


def test_nothing_to_draw_is_no_drawing() -> None:
    assert draw_trend(read_trend(KNOWLEDGE, [], ()), datetime(2026, 1, 20, tzinfo=UTC)) is None
