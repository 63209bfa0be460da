"""What the door promises beside the sentences: its input, its cross-references, the guideline it judges by."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture, PatientFacts
from cds_service.hematology.verdicts import EvidenceKind
from tests.builders.hematology import AS_OF, guideline, picture
from tests.builders.hematology_answers import told


def test_a_time_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^as_of needs a timezone$"):
        assess(ClinicalPicture(), guideline(), AS_OF.replace(tzinfo=None))


def test_today_is_the_day_in_utc_wherever_as_of_comes_from() -> None:
    chart = picture(counts=["leukocytes 3.1, on 2026-03-17"])
    in_auckland = datetime(2026, 6, 16, 10, 0, tzinfo=timezone(timedelta(hours=12)))
    assert told(assess(chart, guideline(), in_auckland))["leukopenia"] == "unconfirmed"


def test_the_machines_own_timezone_never_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = replace(picture(counts=["leukocytes 3.1, on 2026-03-17"]), patient=PatientFacts(born=date(2008, 6, 15)))
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        answer = assess(chart, guideline(), AS_OF)
        assert answer.leukopenia.verdict == "unconfirmed"
        assert not answer.minor
        assert assess(chart, guideline(), AS_OF - timedelta(hours=13)).minor
        assert assess(chart, guideline(), AS_OF + timedelta(hours=12)).leukopenia.verdict == "no-recent-result"
    monkeypatch.undo()
    time.tzset()


def test_age_is_asked_of_today_in_utc() -> None:
    born = replace(picture(), patient=replace(picture().patient, born=date(2008, 6, 15)))
    early_in_auckland = datetime(2026, 6, 15, 3, 0, tzinfo=timezone(timedelta(hours=12)))
    assert assess(born, guideline(), early_in_auckland).minor
    assert not assess(born, guideline(), early_in_auckland.replace(hour=13)).minor


def test_the_change_since_the_previous_result() -> None:
    answer = assess(picture(counts=["leukocytes 3.4, 9 days ago", "leukocytes 2.9, 3 days ago"]), guideline(), AS_OF)
    assert answer.change_since_previous(answer.leukopenia) == Decimal("-0.5")
    assert answer.change_since_previous(answer.thrombocytopenia) is None


def test_a_run_knows_its_ends() -> None:
    answer = assess(picture(counts=["leukocytes 3.4, 9 days ago", "leukocytes 2.9, 3 days ago"]), guideline(), AS_OF)
    run = answer.leukopenia.run
    assert run is not None
    assert run.widest_gap_days == 6
    assert (run.newest.result.value, run.oldest.result.value) == (Decimal("2.9"), Decimal("3.4"))


def test_there_is_no_change_without_a_previous_result() -> None:
    answer = assess(picture(counts=["leukocytes 2.9, 3 days ago"]), guideline(), AS_OF)
    assert answer.change_since_previous(answer.leukopenia) is None


def test_each_finding_names_the_numbers_it_was_judged_by() -> None:
    shipped = guideline()
    answer = assess(picture(), shipped, AS_OF)
    assert answer.leukopenia.criteria == (shipped.leukopenia_below, shipped.current, shipped.separation)
    assert answer.thrombocytopenia.criteria == (shipped.thrombocytopenia_below, shipped.current)
    assert answer.bicytopenia.criteria == (
        shipped.leukopenia_below,
        shipped.thrombocytopenia_below,
        shipped.current,
        shipped.pair,
    )


def test_the_documents_number_is_told_from_the_sites() -> None:
    assert not guideline().leukopenia_below.is_site_default
    assert guideline().thrombocytopenia_below.is_site_default


def test_a_group_is_found_by_its_id_and_an_unknown_one_is_an_error() -> None:
    assert guideline().group("splenic").always_named
    with pytest.raises(KeyError, match="humors"):
        guideline().group("humors")


def test_a_critical_reason_names_its_result_and_its_limit() -> None:
    chart = picture(counts=["leukocytes 0.8, 3 days ago"], companions=["blasts present, 3 days ago"])
    (count, blasts) = assess(chart, guideline(), AS_OF).severity.critical
    assert count == ("leukocytes", chart.counts[0], guideline().critical_leukocytes_below)
    assert blasts == ("blasts", chart.companions[0], None)


def test_a_clumped_count_is_told_as_clumped_though_only_a_report_said_so() -> None:
    chart = picture(counts=["platelets 45, 3 days ago"], clumping=["3 days ago"])
    newest = assess(chart, guideline(), AS_OF).thrombocytopenia.newest
    assert newest is not None
    assert newest.result.clumped


def test_evidence_carries_what_a_card_shows() -> None:
    chart = picture(
        counts=["leukocytes 2.9, 3 days ago"],
        conditions=["splenic, onset 40 days ago"],
        medications=["drug, start 33 days ago, end 4 days ago, current"],
        companions=["blasts present, 5 days ago"],
    )
    blasts, spleen, drug = (group.evidence[0] for group in assess(chart, guideline(), AS_OF).causes.groups)
    assert (blasts.kind, blasts.reference, blasts.chart_text) == (EvidenceKind.BLASTS, "Observation/c1", "present")
    assert (blasts.display, blasts.dated, blasts.system, blasts.code) == ("blasts", date(2026, 6, 10), "", "")
    assert (spleen.kind, spleen.reference, spleen.dated) == (EvidenceKind.CONDITION, "Condition/1", date(2026, 5, 6))
    assert (spleen.system, spleen.code) == ("urn:test", "splenic")
    assert (spleen.display, spleen.chart_text) == ("a splenic code", "splenic in the chart")
    assert (drug.kind, drug.reference, drug.chart_text) == (EvidenceKind.MEDICATION, "MedicationRequest/1", "drug drug")
    assert (drug.system, drug.code, drug.display) == ("urn:test", "drug", "a drug code")
    assert (drug.dated, drug.end, drug.current) == (date(2026, 5, 13), date(2026, 6, 11), True)


def test_a_bound_that_decides_nothing_is_told_as_it_was_reported() -> None:
    chart = picture(counts=["leukocytes <11, 3 days ago"])
    (aside,) = assess(chart, guideline(), AS_OF).not_used
    assert (aside.reference, aside.reported, aside.unreadable) == ("Observation/1", "<11 10*9/L", True)
    as_text = replace(chart, counts=(replace(chart.counts[0], reported_value="<11.0", reported_unit=""),))
    assert assess(as_text, guideline(), AS_OF).not_used[0].reported == "<11.0"


def test_unread_results_of_both_are_told_with_bicytopenia() -> None:
    chart = picture(
        counts=["leukocytes 2.9, 5 days ago", "platelets 80, 5 days ago"],
        unreadable=["platelets, 3 days ago", "leukocytes, 4 days ago", "leukocytes, 2 days ago"],
    )
    answer = assess(chart, guideline(), AS_OF)
    assert [one.analyte for one in answer.bicytopenia.unread] == ["leukocytes", "leukocytes", "platelets"]
    assert [one.reference for one in answer.leukopenia.unread] == ["Observation/aside-3", "Observation/aside-2"]


def test_facts_pass_through_untouched() -> None:
    chart = replace(picture(), not_available=("medications",), counts_incomplete=True, other_patients=2)
    answer = assess(chart, guideline(), AS_OF)
    assert answer.picture is chart
    assert answer.as_of == AS_OF


def test_the_deceased_are_judged_like_everyone_the_card_is_withheld_elsewhere() -> None:
    chart = picture(counts=["leukocytes 2.9, 3 days ago"])
    dead = replace(chart, patient=replace(chart.patient, deceased=True))
    assert told(assess(dead, guideline(), AS_OF)) == told(assess(chart, guideline(), AS_OF))


def test_a_site_that_draws_the_platelet_line_at_100() -> None:
    site = replace(guideline(), thrombocytopenia_below=replace(guideline().thrombocytopenia_below, value=Decimal(100)))
    chart = picture(counts=["platelets 120, 3 days ago"])
    assert told(assess(chart, site, AS_OF))["thrombocytopenia"] == "absent"
    assert told(assess(chart, guideline(), AS_OF.astimezone(UTC)))["thrombocytopenia"] == "present"


def test_a_single_low_result_has_no_gap() -> None:
    run = assess(picture(counts=["leukocytes 2.9, 3 days ago"]), guideline(), AS_OF).leukopenia.run
    assert run is not None
    assert (run.days, run.hours, run.widest_gap_days) == (0, None, 0)


def test_of_equal_values_the_timed_one_stands_for_the_others() -> None:
    for counts in (["today", "2 hours ago"], ["2 hours ago", "today"]):
        chart = picture(counts=[f"leukocytes 2.9, {when}" for when in counts])
        newest = assess(chart, guideline(), AS_OF).leukopenia.newest
        assert newest is not None
        assert newest.collected.instant is not None


def test_estimates_are_shown_newest_first() -> None:
    chart = picture(counts=["leukocytes 5, 9 days ago, estimate", "leukocytes 6, 3 days ago, estimate"])
    assert [str(one.value) for one in assess(chart, guideline(), AS_OF).leukopenia.shown_only] == ["6", "5"]


def test_one_record_set_aside_for_two_analytes_is_told_twice_in_a_fixed_order() -> None:
    chart = picture(
        unreadable=["platelets, 3 days ago", "leukocytes, 3 days ago"], no_result=["platelets", "leukocytes"]
    )
    same = tuple(replace(one, reference="Observation/panel") for one in chart.set_aside)
    for records in (same, same[::-1]):
        told_of = assess(replace(chart, set_aside=records), guideline(), AS_OF).not_used
        assert [one.analyte for one in told_of] == ["leukocytes", "platelets"] * 2
        assert [one.collected is None for one in told_of] == [False, False, True, True]


def test_a_record_of_several_groups_downgrades_by_the_one_that_may() -> None:
    counts = ["leukocytes 3.1, 23 days ago", "leukocytes 2.9, 3 days ago"]
    plain = picture(conditions=["splenic"], medications=["drug, start 9 days ago"])
    therapy = "physical-chemical, downgrading as therapy"
    downgrading = picture(
        conditions=["marrow-failure, downgrading as marrow"], medications=[f"{therapy}, start 9 days ago"]
    )
    condition = replace(plain.conditions[0], matches=(*plain.conditions[0].matches, *downgrading.conditions[0].matches))
    order = replace(plain.medications[0], matches=(*plain.medications[0].matches, *downgrading.medications[0].matches))
    for records, kind in (({"conditions": (condition,)}, "marrow"), ({"medications": (order,)}, "therapy")):
        answer = assess(replace(picture(counts=counts), **records), guideline(), AS_OF)
        assert told(answer)["downgrades"] == [kind]


def test_a_downgrading_order_tells_its_start_relative_to_the_count_it_lowers() -> None:
    chart = picture(
        counts=[
            "platelets 90, 60 days ago",
            "platelets 90, 3 days ago",
            "leukocytes 3, 23 days ago",
            "leukocytes 3, 3 days ago",
        ],
        medications=["physical-chemical, affecting leukocytes, downgrading as therapy, start 33 days ago"],
    )
    alert = assess(chart, guideline(), AS_OF).alert
    assert alert is not None
    assert [one.days_before_first_low for _, one in alert.downgrades] == [10]
