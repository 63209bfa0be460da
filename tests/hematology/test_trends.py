"""The trend of a count: every result is there, once, marked as the judge sees it."""

from typing import Any

import pytest
from hypothesis import given, settings

from cds_service.hematology.assessment import assess
from cds_service.hematology.bounds import is_below
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import Analyte
from cds_service.hematology.trends import Mark, trace
from tests.builders.hematology import AS_OF, guideline, picture
from tests.builders.hematology_pictures import pictures

SENTENCES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "low results of an unbroken series, after a normal one": (
        {"counts": ["leukocytes 5.9, 200 days ago", "leukocytes 3.1, 23 days ago", "leukocytes 2.9, 3 days ago"]},
        "leukocytes",
        ["5.9 not-low", "3.1 low run", "2.9 low run"],
    ),
    "one older than the lookback is drawn all the same": (
        {"counts": ["platelets 90, 3000 days ago", "platelets 210, 3 days ago"]},
        "platelets",
        ["90 low", "210 not-low"],
    ),
    "a clumped one is unreliable": (
        {"counts": ["platelets 60, 3 days ago, clumped"]},
        "platelets",
        ["60 unreliable"],
    ),
    "a correction stands for what it corrects": (
        {
            "counts": [
                "leukocytes 2.9, on 2026-06-10T08:00+00:00, specimen A",
                "leukocytes 5.0, on 2026-06-10T08:00+00:00, specimen A, corrected",
            ]
        },
        "leukocytes",
        ["2.9 outdone", "5.0 not-low"],
    ),
    "two values of one time, on both sides": (
        {"counts": ["leukocytes 2.9, on 2026-06-10T08:00+00:00", "leukocytes 5.0, on 2026-06-10T08:00+00:00"]},
        "leukocytes",
        ["2.9 conflicting", "5.0 conflicting"],
    ),
    "a bound that decides nothing, and an estimate": (
        {"counts": ["platelets <200, 9 days ago", "platelets 80, 3 days ago, estimate"]},
        "platelets",
        ["200 undecided", "80 estimate"],
    ),
    "neutrophils where there are any": (
        {"counts": ["neutrophils 0.4, 3 days ago"]},
        "neutrophils",
        ["0.4 low"],
    ),
    "what was set aside has its place": (
        {"counts": ["leukocytes 5.0, 9 days ago"], "unreadable": ["leukocytes, 2 days ago"]},
        "leukocytes",
        ["5.0 not-low", "aside unit-missing"],
    ),
}


def _told(chart: ClinicalPicture, analyte: str) -> list[str]:
    trends = {trend.analyte.value: trend for trend in trace(assess(chart, guideline(), AS_OF), guideline())}
    trend = trends[analyte]
    counts = [f"{one.result.value} {one.mark}{' run' if one.in_run else ''}" for one in trend.counts]
    return counts + [f"aside {one.reason}" for one in trend.set_aside]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_trend_shows(sentence: str) -> None:
    chart, analyte, expected = SENTENCES[sentence]
    assert _told(picture(**chart), analyte) == expected


def test_neutrophils_have_no_trend_where_none_were_reported() -> None:
    trends = trace(assess(ClinicalPicture(), guideline(), AS_OF), guideline())
    assert [trend.analyte for trend in trends] == [Analyte.LEUKOCYTES, Analyte.PLATELETS]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(pictures())
def test_no_result_is_lost_and_none_changes_sides(chart: ClinicalPicture) -> None:
    for trend in trace(assess(chart, guideline(), AS_OF), guideline()):
        references = sorted(one.result.reference for one in trend.counts)
        assert references == sorted(count.reference for count in chart.counts_of(trend.analyte))
        assert len(trend.set_aside) == sum(one.analyte is trend.analyte for one in chart.set_aside)
        for one in trend.counts:
            below = is_below(one.result, trend.limit.value)
            assert (one.mark, below) not in {(Mark.LOW, False), (Mark.NOT_LOW, True), (Mark.UNDECIDED, True)}
            assert not one.in_run or one.mark in {Mark.LOW, Mark.ESTIMATE}
