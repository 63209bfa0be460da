"""Criteria 1, "Clumping": positive evidence only, clause by clause."""

from typing import Any

import pytest

from cds_service.fhir_reading.clump_text import ClumpWords
from tests.builders.fhir import CLUMPS, LOINC, PLT, WBC, concept, observation, quantity, read
from tests.builders.knowledge import shipped_knowledge

WORDS = ClumpWords(shipped_knowledge().words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Platelet clumps present", True),
        ("Clumping observed; count may be falsely low", True),
        ("PLATELET AGGREGATES SEEN", True),
        ("platelet satellitism", True),
        ("Few clumps.", True),
        ("No fibrin strands, platelet clumps noted", True),
        ("Count without correction. Clumped platelets", True),
        ("Thrombozytenaggregate nachweisbar", True),
        ("agrégats plaquettaires", True),
        ("No platelet clumps", False),
        ("no evidence of clumping or aggregates", False),
        ("Platelets adequate without clumps", False),
        ("Clumps: none", False),
        ("clumps absent", False),
        ("Clumping negative", False),
        ("Platelet clumps not seen", False),
        ("Platelet clumps were not seen", False),
        ("Keine Thrombozytenaggregate", False),
        ("sans agrégats", False),
        ("Platelets low", False),
        ("", False),
        ("Not low; clumps", True),
        ("no clumps, aggregates seen", True),
        ("clumps absent aggregates negative", False),
        ("clumps absent aggregates present", True),
        ("no clumps clumps", False),
        ("clumps no clumps", False),
        ("macroclumps/aggregates", True),
    ],
)
def test_a_clause_tells_clumps_unless_it_negates_them(text: str, told: bool) -> None:
    assert WORDS.tells_clumps([text]) is told


def test_the_platelet_counts_own_note_or_interpretation_marks_that_count_only() -> None:
    note = {"note": [{"text": "Results verified."}, {"text": "Platelet clumps present"}]}
    interpretation = {"interpretation": [{"coding": [{"code": "L", "display": "Low, clumping"}]}]}
    counts = read(
        observation(PLT, id="a", **note),
        observation(PLT, id="b", **interpretation),
        observation(PLT, id="c"),
        observation(WBC, id="d", **note),
    ).counts
    assert [count.clumped for count in counts] == [True, True, False, False]


def test_a_panels_note_is_the_note_of_its_platelets() -> None:
    parts = [{"code": concept(code), "valueQuantity": quantity(90)} for code in (PLT, WBC)]
    counts = read(observation("58410-2", None, component=parts, note=[{"text": "clumps"}])).counts
    assert [count.clumped for count in counts] == [True, False]


def clump_test(**elements: Any) -> dict[str, Any]:
    return observation(CLUMPS, None, **elements)


@pytest.mark.parametrize(
    "elements",
    [
        {"valueCodeableConcept": concept("LA9633-4")},
        {"valueCodeableConcept": concept("52101004", system="http://snomed.info/sct")},
        {"valueCodeableConcept": {"coding": [{"system": "urn:x", "code": "7", "display": "Present"}]}},
        {"valueCodeableConcept": {"text": "Few"}},
        {"valueString": "few"},
        {"valueString": "Moderate"},
        {"valueString": "many clumps"},
        {"valueString": "+"},
        {"valueString": "++++"},
        {"valueString": "2+"},
        {"valueString": "Platelet clumps seen"},
        {"valueQuantity": quantity(1, "{score}", "{score}")},
        {"valueQuantity": quantity(0, "1", comparator=">")},
        {"valueInteger": 2},
        {"valueBoolean": True},
        {"note": [{"text": "clumped platelets"}]},
        {"valueString": "see note", "note": [{"text": "clumps on smear"}]},
        {"interpretation": [{"text": "Aggregates"}]},
    ],
)
def test_a_positive_clump_test_is_evidence(elements: dict[str, Any]) -> None:
    (report,) = read(clump_test(specimen={"reference": "Specimen/1"}, **elements)).clumping
    assert (report.reference, report.specimen) == ("Observation/o1", "Specimen/1")
    assert report.collected.reported == "2026-06-01T08:30:00+02:00"


@pytest.mark.parametrize(
    "elements",
    [
        {"valueCodeableConcept": {"text": "Not present"}},
        {"valueCodeableConcept": concept("LA9634-2")},
        {"valueString": "None seen"},
        {"valueString": "Absent"},
        {"valueString": "No platelet clumps seen"},
        {"valueString": "-"},
        {"valueQuantity": quantity(0, "1")},
        {"valueQuantity": quantity(-1, "1")},
        {"valueQuantity": quantity(3, "1", comparator="<")},
        {"valueQuantity": quantity(3, "1", comparator="~")},
        {"valueQuantity": quantity("3", "1")},
        {"valueInteger": 0},
        {"valueBoolean": False},
        {"valueString": "few", "dataAbsentReason": concept("x")},
        {"valueRange": {"low": quantity(1)}},
        {},
        {"valueString": "few", "status": "entered-in-error"},
        {"valueString": "few", "status": "unknown"},
        {"valueString": "few", "subject": {"reference": "Patient/other"}},
        {"valueString": "few", "effectiveDateTime": "2026"},
        {"valueString": "few", "specimen": {"display": "urine"}},
    ],
)
def test_what_is_not_positive_is_no_evidence(elements: dict[str, Any]) -> None:
    assert read(clump_test(**elements)).clumping == ()


def test_the_edta_check_and_adequacy_are_shown_never_evidence() -> None:
    sent = [observation(code, None, id=code, valueString="Platelet clumps present") for code in ("107193-5", "9317-9")]
    picture = read(*sent)
    assert picture.clumping == ()
    assert [(one.kind, one.reported, one.present) for one in picture.companions] == [
        ("edta-clump-check", "Platelet clumps present", None),
        ("platelet-adequacy", "Platelet clumps present", None),
    ]


def test_a_clump_code_beside_a_count_code_is_contradictory() -> None:
    both = observation() | {"code": {"coding": [{"system": LOINC, "code": code} for code in (PLT, CLUMPS)]}}
    assert read(both).set_aside[0].reason == "contradictory-codes"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("W" * 1_000_000, False),
        ("clump" * 200_000, True),
        ("no clumps " * 100_000, False),
        ("clumps absent " * 20_000, False),
        ("clumps not seen " * 100_000, False),
        (" " * 1_000_000 + "clumps", True),
    ],
    ids=["one word", "one word of clumps", "no clumps", "absent", "not seen", "blanks"],
)
def test_a_long_text_is_read_in_time_linear_in_its_length(text: str, told: bool) -> None:
    assert WORDS.tells_clumps([text]) is told
