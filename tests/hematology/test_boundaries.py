"""Below, at and above every threshold and window edge. The numbers come from the guideline itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.criteria import Bands, Criterion
from tests.builders.hematology import AS_OF, guideline, picture
from tests.builders.hematology_answers import told

GUIDELINE = guideline()
A_HAIR = Decimal("1e-15")
"""Sixteen-digit values exist: they must not be rounded onto the limit."""


@dataclass(frozen=True)
class Threshold:
    """A limit below which `key` of the answer is `below`, and `not_below` from it on."""

    criterion: Criterion
    counts: str
    """Sentences separated by `;`, with `{}` where the tested value stands."""
    key: str
    below: object
    not_below: object


def _grades(analyte: str, bands: Bands, around: str) -> Iterator[Threshold]:
    for grade, criterion in enumerate(bands.below, 2):
        milder: dict[str, int] = {} if analyte == "neutrophils" and grade == 2 else {analyte: grade - 1}
        yield Threshold(criterion, f"{analyte} {{}}, 3 days ago{around}", "grades", {analyte: grade}, milder)


BENIGN = "benign-variant, affecting leukocytes, downgrading as benign"
BOTH_FELL = "leukocytes 5.0, 9 days ago; platelets 200, 9 days ago"
THRESHOLDS = [
    Threshold(GUIDELINE.leukopenia_below, "leukocytes {}, 3 days ago", "leukopenia", "unconfirmed", "absent"),
    Threshold(GUIDELINE.thrombocytopenia_below, "platelets {}, 3 days ago", "thrombocytopenia", "present", "absent"),
    Threshold(GUIDELINE.thrombocytopenia_card_below, "platelets {}, 3 days ago", "importance", "info", "none"),
    Threshold(GUIDELINE.critical_leukocytes_below, "leukocytes {}, 3 days ago", "critical", ["leukocytes"], []),
    Threshold(GUIDELINE.critical_platelets_below, "platelets {}, 3 days ago", "critical", ["platelets"], []),
    Threshold(
        GUIDELINE.critical_neutrophils_below,
        "neutrophils {}, 3 days ago; leukocytes 3.5, 3 days ago",
        "critical",
        ["neutrophils"],
        [],
    ),
    Threshold(
        GUIDELINE.mild_leukocytes_at_least,
        f"{BOTH_FELL}; platelets 120, 3 days ago; leukocytes {{}}, 3 days ago",
        "situation",
        "bicytopenia",
        "mild-fall",
    ),
    Threshold(
        GUIDELINE.mild_platelets_at_least,
        f"{BOTH_FELL}; leukocytes 3.5, 3 days ago; platelets {{}}, 3 days ago",
        "situation",
        "bicytopenia",
        "mild-fall",
    ),
    Threshold(
        GUIDELINE.benign_leukocytes_at_least,
        "leukocytes 2.5, 30 days ago; platelets 200, 3 days ago; leukocytes {}, 3 days ago",
        "downgrades",
        [],
        ["benign"],
    ),
    Threshold(
        GUIDELINE.benign_neutrophils_below,
        "leukocytes 2.5, 30 days ago; leukocytes 2.5, 3 days ago; platelets 200, today; neutrophils {}, 3 days ago",
        "downgrades",
        [],
        ["benign"],
    ),
    *_grades("leukocytes", GUIDELINE.leukocyte_bands, ""),
    *_grades("platelets", GUIDELINE.platelet_bands, ""),
]


def _with_value(threshold: Threshold, value: Decimal) -> ClinicalPicture:
    conditions = [BENIGN] if threshold.key == "downgrades" else []
    return picture(counts=threshold.counts.format(value).split("; "), conditions=conditions)


@pytest.mark.parametrize("threshold", THRESHOLDS, ids=lambda one: f"{one.criterion.id}-{one.key}")
def test_strictly_below_a_threshold_and_nowhere_else(threshold: Threshold) -> None:
    limit = threshold.criterion.value
    for value, expected in [
        (limit - A_HAIR, threshold.below),
        (limit, threshold.not_below),
        (limit + A_HAIR, threshold.not_below),
    ]:
        answer = told(assess(_with_value(threshold, value), GUIDELINE, AS_OF))
        assert answer[threshold.key] == expected, f"{threshold.criterion.id}: {value}"


@pytest.mark.parametrize(("grade", "criterion"), list(enumerate(GUIDELINE.neutrophil_bands.below, 2)))
def test_neutrophil_grades(grade: int, criterion: Criterion) -> None:
    for value, expected in [(criterion.value - A_HAIR, grade), (criterion.value, grade - 1)]:
        chart = picture(counts=["leukocytes 3.5, 3 days ago", f"neutrophils {value}, 3 days ago"])
        grades = told(assess(chart, GUIDELINE, AS_OF))["grades"]
        assert grades.get("neutrophils", 1) == expected


@dataclass(frozen=True)
class Window:
    """A window in which `key` of the answer is `inside`; `{}` stands for a number of days."""

    criterion: Criterion
    sentences: dict[str, list[str]]
    key: str
    inside: object
    outside: object


WINDOWS = [
    Window(GUIDELINE.current, {"counts": ["leukocytes 3.1, {}"]}, "leukopenia", "unconfirmed", "no-recent-result"),
    Window(
        GUIDELINE.current, {"unreadable": ["platelets, {}"]}, "thrombocytopenia", "not-evaluable", "no-recent-result"
    ),
    Window(
        GUIDELINE.lookback,
        {"counts": ["leukocytes 3, {}", "leukocytes 3, 200 days ago", "leukocytes 3, 30 days ago"]},
        "rests_on",
        {"leukopenia": "3, 3, 3"},
        {"leukopenia": "3, 3"},
    ),
    Window(GUIDELINE.lookback, {"unreadable": ["platelets, {}"]}, "not_used", ["platelets unit-missing"], []),
    Window(GUIDELINE.severity_window, {"counts": ["leukocytes 0.5, {}"]}, "critical", ["leukocytes"], []),
    Window(GUIDELINE.severity_window, {"counts": ["platelets 10, {}"]}, "critical", ["platelets"], []),
    Window(
        GUIDELINE.severity_window,
        {"counts": ["leukocytes 3.5, 3 days ago", "neutrophils 0.1, {}"]},
        "critical",
        ["neutrophils"],
        [],
    ),
    Window(
        GUIDELINE.severity_window,
        {"counts": ["leukocytes 3.5, 3 days ago"], "companions": ["blasts present, {}"]},
        "critical",
        ["blasts"],
        [],
    ),
    Window(
        GUIDELINE.blasts_window,
        {"counts": ["leukocytes 3.5, 3 days ago"], "companions": ["blasts present, {}"]},
        "causes",
        ["hematologic-malignancy"],
        [],
    ),
]


def _placed(window: Window, when: str) -> ClinicalPicture:
    filled = {key: [text.format(when) for text in texts] for key, texts in window.sentences.items()}
    return picture(**filled)  # type: ignore[arg-type]


@pytest.mark.parametrize("window", WINDOWS, ids=lambda one: f"{one.criterion.id}-{one.key}")
def test_a_window_holds_both_its_ends(window: Window) -> None:
    days = window.criterion.days
    for when, expected in [
        (f"{days - 1} days ago", window.inside),
        (f"{days} days ago", window.inside),
        (f"{days} days 1 minutes ago", window.outside),
        (f"{days} days ago without time", window.inside),
        (f"{days + 1} days ago without time", window.outside),
    ]:
        assert told(assess(_placed(window, when), GUIDELINE, AS_OF))[window.key] == expected, when


@dataclass(frozen=True)
class Distance:
    """Two results; up to `criterion` days apart `key` is `near`, beyond it `far`."""

    criterion: Criterion
    earlier: list[str]
    later: list[str]
    key: str
    near: object
    far: object
    beyond_from: int = 1
    """How many days more than the criterion make it `far`."""


LOW = ["leukocytes 3.1, {}"]
DISTANCES = [
    Distance(GUIDELINE.separation, LOW, LOW, "leukopenia", "unconfirmed", "present", beyond_from=0),
    Distance(
        GUIDELINE.separation,
        ["platelets 140, {}"],
        ["platelets 140, {}"],
        "situation",
        "none",
        "thrombocytopenia",
        beyond_from=0,
    ),
    Distance(GUIDELINE.pair, LOW, ["platelets 60, {}"], "bicytopenia", "present", "absent"),
    Distance(GUIDELINE.pair, ["platelets 60, {}"], LOW, "bicytopenia", "present", "absent"),
    Distance(GUIDELINE.run_gap, LOW, LOW, "rests_on", {"leukopenia": "3.1, 3.1"}, {"leukopenia": "3.1"}),
    Distance(
        GUIDELINE.long_run_gap,
        LOW,
        LOW,
        "run",
        {"leukopenia": "low for 3 months or more"},
        {"leukopenia": "low on 2 results, none between for 91 days"},
    ),
    Distance(
        GUIDELINE.mild_fall_within,
        ["leukocytes 5.0, {}", "platelets 200, {}"],
        ["leukocytes 3.5, {}", "platelets 120, {}"],
        "situation",
        "mild-fall",
        "bicytopenia",
    ),
]


@pytest.mark.parametrize("distance", DISTANCES, ids=lambda one: f"{one.criterion.id}-{one.key}")
def test_a_distance_is_one_of_calendar_dates(distance: Distance) -> None:
    last_near = distance.criterion.days + distance.beyond_from - 1
    for apart, expected in [(last_near, distance.near), (last_near + 1, distance.far)]:
        for hour_earlier, hour_later in [("00:00", "23:59"), ("23:59", "00:00"), ("12:00", "12:00")]:
            day = AS_OF.date() - timedelta(days=2)
            earlier = f"on {day - timedelta(days=apart)}T{hour_earlier}+00:00"
            later = f"on {day}T{hour_later}+00:00"
            counts = [text.format(earlier) for text in distance.earlier] + [
                text.format(later) for text in distance.later
            ]
            answer = told(assess(picture(counts=counts), GUIDELINE, AS_OF))
            assert answer[distance.key] == expected, f"{apart} days, {hour_earlier} to {hour_later}"


@pytest.mark.parametrize("hours", [0, 1, 23, 24])
def test_one_specimen_reference_within_its_hours(hours: int) -> None:
    limit = GUIDELINE.same_specimen_hours
    counts = ["leukocytes 3.1, 5 days ago, specimen A", f"leukocytes 4.6, 4 days {24 - hours} hours ago, specimen A"]
    assert told(assess(picture(counts=counts), GUIDELINE, AS_OF))["leukopenia"] == "not-evaluable"
    shorter = replace(GUIDELINE, same_specimen_hours=replace(limit, value=Decimal(max(hours - 1, 0))))
    expected = "absent" if hours else "not-evaluable"
    assert told(assess(picture(counts=counts), shorter, AS_OF))["leukopenia"] == expected
