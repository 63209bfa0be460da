"""What is drawn and listed of the counts over time: everything that was read, in words, and nothing active."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import Affects, CauseMatch, ClinicalPicture, Course, RecordedCondition, Use
from cds_service.hematology.lab_results import SetAside, SetAsideReason
from cds_service.sandbox.chart_reading import read_chart
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import filled_store
from cds_service.services.card_wording import Wording
from cds_service.trend_view.drawing import WIDTHS, draw
from cds_service.trend_view.page import render_trends, trends_csv
from cds_service.trend_view.view import Range, TrendView, compose_trends
from tests.builders.hematology import AS_OF, collected, picture
from tests.builders.knowledge import shipped_knowledge

WORDS = Wording(shipped_knowledge().wording)
LOW_AFTER_NORMAL = ["leukocytes 5.9, 400 days ago", "leukocytes 3.1, 63 days ago", "leukocytes 2.9, 3 days ago"]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'


def view(looked_at: Range = Range.ALL, **chart: Any) -> TrendView:
    return seen(picture(**chart), looked_at)


def seen(chart: ClinicalPicture, looked_at: Range = Range.ALL) -> TrendView:
    knowledge = shipped_knowledge()
    return compose_trends(assess(chart, knowledge.guideline, AS_OF), knowledge, looked_at)


def said(one: TrendView) -> dict[str, list[str]]:
    return {chart.analyte: [point.says for point in chart.points] for chart in one.charts if chart.points}


def test_each_point_says_value_time_and_what_the_judge_makes_of_it() -> None:
    assert said(view(counts=LOW_AFTER_NORMAL)) == {
        "leukocytes": [
            "5.9 10*9/L; 2025-05-11 12:00 UTC; not low, final",
            "3.1 10*9/L; 2026-04-13 12:00 UTC; low, final",
            "2.9 10*9/L; 2026-06-12 12:00 UTC; low, final",
        ]
    }


def test_what_could_not_be_used_keeps_its_place_and_its_reason() -> None:
    shown = said(view(counts=["platelets 60, 3 days ago, clumped"], unreadable=["leukocytes, 2 days ago"]))
    assert shown == {
        "leukocytes": ["2026-06-13 12:00 UTC; not used: no unit"],
        "platelets": ["60 10*9/L; 2026-06-12 12:00 UTC; unreliable, clumps reported, final"],
    }


def test_nothing_of_another_patient_is_shown() -> None:
    other = SetAside(
        "Observation/x", collected=collected("today"), analyte=_leukocytes(), reason=SetAsideReason.OTHER_PATIENT
    )
    assert seen(ClinicalPicture(set_aside=(other,))).is_empty


def _leukocytes() -> Any:
    return picture(counts=["leukocytes 5, today"]).counts[0].analyte


@pytest.mark.parametrize(("looked_at", "left"), [(Range.ALL, 3), (Range.YEAR, 2), (Range.THREE_MONTHS, 2)])
def test_one_looks_as_far_back_as_one_likes(looked_at: Range, left: int) -> None:
    one = view(looked_at, counts=LOW_AFTER_NORMAL)
    assert len(one.charts[0].points) == left
    assert one.first <= min(point.at for point in one.charts[0].points if point.at)


def test_the_unbroken_series_is_shaded_from_its_first_to_its_newest() -> None:
    run = view(counts=LOW_AFTER_NORMAL).charts[0].run
    assert run is not None
    assert [(AS_OF.replace(tzinfo=None) - end) // timedelta(days=1) for end in run] == [63, 3]
    assert view(counts=["leukocytes 2.9, 3 days ago"]).charts[0].run is None


def test_a_drug_begun_before_the_fall_is_seen_beneath_it() -> None:
    one = view(counts=LOW_AFTER_NORMAL, medications=["drug, start 90 days ago, current"], conditions=["infection"])
    drug, infection = one.spans
    assert (drug.kind, drug.is_open, drug.groups) == ("medication", True, ("Drug effect",))
    assert drug.start is not None
    assert drug.start.date() == AS_OF.date() - timedelta(days=90)
    assert (infection.kind, infection.start) == ("condition", None), "undated: since when isn't known"


def test_the_laboratorys_own_range_and_hemoglobin_come_from_a_real_chart() -> None:
    knowledge = shipped_knowledge()
    store = filled_store(load_index(fixture_folder()), AS_OF.date())
    one = compose_trends(read_chart(store, "amara-okafor", knowledge, AS_OF), knowledge)
    leukocytes = one.charts[0]
    assert [f"{bound:f}" for bound in leukocytes.usual if bound is not None] == ["4", "11"]
    assert one.charts[-1].analyte == "hemoglobin"
    assert one.charts[-1].unit == "g/dL"
    assert all(point.value for point in one.charts[-1].points)


def test_low_differs_by_shape_and_colours_are_the_pages() -> None:
    low, normal = (draw(view(counts=[f"leukocytes {value}, 3 days ago"]), WIDTHS["wide"]) for value in (2.9, 5.9))
    shape = re.compile(r'aria-roledescription="point" transform="[^"]*" d="([^"]*)" fill="([^"]*)"')
    (low_path, low_fill), (normal_path, normal_fill) = shape.findall(low)[0], shape.findall(normal)[0]
    assert (low_fill, normal_fill) == ("var(--low)", "var(--surface)")
    assert low_path != normal_path
    assert "style=" not in low, "a strict content security policy drops style attributes"


def test_every_result_is_in_the_drawing_with_its_words() -> None:
    one = view(counts=LOW_AFTER_NORMAL, unreadable=["platelets, 2 days ago"])
    svg = draw(one, WIDTHS["narrow"])
    for chart in one.charts:
        for point in chart.points:
            assert f'aria-label="{point.says}; {chart.title}"' in svg


def _with_hostile_text() -> ClinicalPicture:
    match = CauseMatch("infection", Use.EVIDENCE, Course.CHRONIC, Affects.BOTH, "urn:x", "x", "x")
    condition = RecordedCondition("Condition/1", HOSTILE, onset=date(2026, 6, 1), matches=(match,))
    chart = picture(counts=LOW_AFTER_NORMAL, unreadable=["leukocytes, 2 days ago"])
    aside = SetAside(HOSTILE, _leukocytes(), SetAsideReason.UNIT_MISSING, collected("today"), reported=HOSTILE)
    return ClinicalPicture(counts=chart.counts, set_aside=(aside,), conditions=(condition,))


def test_chart_text_stays_text() -> None:
    html = str(render_trends(seen(_with_hostile_text()), WORDS, {"1y": "?range=1y"}, "trend.csv"))
    assert "<script" not in html.replace("&lt;script", "")
    assert "<img" not in html
    assert "\u202e" not in html
    assert "alert(1)" in html, "shown, as text"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x"])
def test_a_spreadsheet_opens_the_csv_without_running_anything(start: str) -> None:
    aside = SetAside("Observation/1", _leukocytes(), SetAsideReason.UNIT_MISSING, collected("today"), reported=start)
    (row,) = rows(seen(ClinicalPicture(set_aside=(aside,))))
    assert row["reported"] == f"'{start}"


def test_the_csv_holds_every_result() -> None:
    assert [row["value"] for row in rows(view(counts=LOW_AFTER_NORMAL, unreadable=["leukocytes, today"]))] == [
        "5.9", "3.1", "2.9", "",
    ]  # fmt: skip


def rows(one: TrendView) -> list[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO(trends_csv(one))))


def test_an_empty_chart_says_so_and_draws_nothing() -> None:
    html = str(render_trends(seen(ClinicalPicture()), WORDS))
    assert "No leukocyte or platelet count was found." in html
    assert "<svg" not in html


def test_a_wrong_date_does_not_press_the_right_ones_together() -> None:
    aside = SetAside("Observation/x", _leukocytes(), SetAsideReason.DATE_IN_FUTURE, collected("in 2 hours"))
    chart = picture(counts=LOW_AFTER_NORMAL)
    far = replace(aside, collected=replace(aside.collected, instant=AS_OF + timedelta(days=36500)))  # type: ignore[type-var]
    one = seen(replace(chart, set_aside=(far,)))
    assert one.last - AS_OF.replace(tzinfo=None) < timedelta(days=1)
    assert one.results_not_drawn == 1
    assert "1 result without a place on this time axis is in the table." in render_trends(one, WORDS)


def test_very_high_values_leave_the_limit_to_be_seen() -> None:
    def limit_line(*values: str) -> float:
        svg = draw(view(counts=[f"leukocytes {value}, {day} days ago" for day, value in enumerate(values)]), 640)
        found = re.search(r'<line transform="translate\([\d.]+,([\d.]+)\)"[^>]*stroke="var\(--low\)"', svg)
        assert found
        return 108 - float(found[1])

    assert limit_line("5", "350") > 15, "pixels above zero"
    assert "high values drawn closer together" in draw(view(counts=["leukocytes 350, today"]), 640)
    assert "closer together" not in draw(view(counts=["leukocytes 12, today"]), 640)
