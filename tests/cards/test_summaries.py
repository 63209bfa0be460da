"""The line a clinician reads in five seconds: what it keeps where there is little room, and how it says it."""

import re
from decimal import Decimal

import pytest

from cds_service.hematology.verdicts import EvidenceKind
from cds_service.services.card_fitting import Part, fitting_line
from tests.builders.charts_for_cards import SNOMED, Chart, chart
from tests.cards.situations import BOTH_LOW, LEUKOPENIA, SITUATIONS

HIV = "86406008"
HOW_LONG = re.compile(r"low (on|×|for|≥)|one low result|over \d+ day")
CONVERTED = (
    chart().wbc("3200", 25, "/uL", factor="0.001").wbc("3100", 3, "/uL", factor="0.001")
).platelets("9.1", 3, "10^4/uL", factor="10")  # fmt: skip

SAID: list[tuple[str, Chart, str]] = [
    (
        "what is recorded before how long",
        CONVERTED.condition(HIV, 900, system=SNOMED),
        "Low WBC 3.1 (3100 /uL; <4.0) and platelets 91 (9.1 10^4/uL; <150); recorded: infection; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "both, in short forms",
        BOTH_LOW.condition("K74.60", 600).platelets("90", 23),
        "Low WBC 2.9 (<4.0) and platelets 88 (<150); over 20 days; recorded: spleen and liver; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "no duration of one for both",
        BOTH_LOW.condition("K74.60", 600),
        "WBC 2.9 (<4.0) and platelets 88 (<150) ×10⁹/L both low; recorded: spleen and liver; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "pernicious anemia",
        BOTH_LOW.condition("D51.0", 600),
        "WBC 2.9 (<4.0) and platelets 88 (<150) both low; recorded: other hematopoietic disease; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "two groups by name",
        BOTH_LOW.condition("E75.22", 900),
        "Low WBC 2.9 (<4.0) and platelets 88 (<150); recorded: spleen and liver, genetic disease; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "many groups by their number at least",
        CONVERTED.condition("E75.22", 900).condition("D51.0", 900).condition(HIV, 900, system=SNOMED),
        "Low WBC 3.1 (3100 /uL; <4.0) and platelets 91 (9.1 10^4/uL; <150); 4 recorded causes; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "since when the finding is recorded",
        LEUKOPENIA.condition("D72.819", 300),
        "WBC 2.9 (<4.0) ×10⁹/L; 0.2 lower than on 2025-12-23; leukopenia recorded since 2025-03-21; "
        "platelets 220, not low; consider the cause",
    ),
    (
        "neutropenia is not called leukopenia",
        LEUKOPENIA.condition("D70.9", 300),
        "WBC 2.9 (<4.0) ×10⁹/L; 0.2 lower than on 2025-12-23; neutropenia recorded since 2025-03-21; "
        "platelets 220, not low; consider the cause",
    ),
    (
        "whose change it is, of two",
        BOTH_LOW.condition("D61.818", 300),
        "WBC 2.9 (<4.0) and platelets 88 (<150) ×10⁹/L both low; WBC 0.2 lower than on 2025-12-23; "
        "consider leukemia, aplastic anemia, hypersplenism",
    ),
    (
        "a gap",
        chart().wbc("3.1", 150).wbc("2.9", 3).platelets("220", 3),
        "WBC 2.9 (<4.0) ×10⁹/L; low ×2 with a gap of 147 days; platelets 220, not low; "
        "consider primary and secondary causes",
    ),
    (
        "a downgraded card says what to consider",
        BOTH_LOW.condition("C92.00", 200),
        "WBC 2.9 (<4.0) and platelets 88 (<150) ×10⁹/L both low; WBC 0.2 lower than on 2025-12-23; "
        "consider marrow disease or transplant (recorded)",
    ),
]


@pytest.mark.parametrize(("made", "summary"), [one[1:] for one in SAID], ids=[one[0] for one in SAID])
def test_the_summary_reads(made: Chart, summary: str) -> None:
    assert made.card.summary == summary


def supported(made: Chart) -> bool:
    groups = made.assessment.causes.groups
    return any(one.kind is not EvidenceKind.BLASTS for group in groups for one in group.evidence)


@pytest.mark.parametrize("name", [name for name, made in SITUATIONS.items() if supported(made)])
def test_a_recorded_cause_is_in_the_summary(name: str) -> None:
    assert "recorded" in SITUATIONS[name].card.summary


@pytest.mark.parametrize("codes", [("K74.60",), ("E75.22",), ("D51.0",), ("E75.22", "D51.0", "J10.1")], ids=str)
@pytest.mark.parametrize(("unit", "factor"), [("10*3/uL", "1"), ("/uL", "0.001"), ("lakh/cumm", "100")])
@pytest.mark.parametrize("days", [(), (23,), (63, 33), (123,)], ids=str)
def test_how_long_never_stands_where_a_recorded_cause_was_dropped(
    codes: tuple[str, ...], unit: str, factor: str, days: tuple[int, ...]
) -> None:
    made = chart()
    for ago in (*days, 3):
        made = made.wbc(str(Decimal("2.9") / Decimal(factor)), ago, unit, factor=factor)
        made = made.platelets(str(Decimal(108) / Decimal(factor)), ago, unit, factor=factor)
    for code in codes:
        made = made.condition(code, 10)
    summary = made.card.summary
    assert supported(made)
    assert "recorded" in summary or not HOW_LONG.search(summary), summary


@pytest.mark.parametrize("code", ["C92.00", "Z51.11", "Z67.A1", "Z94.84"])
@pytest.mark.parametrize("made", [BOTH_LOW, CONVERTED, LEUKOPENIA, LEUKOPENIA.patient(replaced=True)])
def test_what_may_explain_it_is_named_where_the_reader_is_to_consider_it(code: str, made: Chart) -> None:
    made = made.condition(code, 20)
    downgraded = made.assessment.alert and made.assessment.alert.downgrades
    summary = made.card.summary
    assert not downgraded or " recorded, consider whether it explains this" in summary or "(recorded)" in summary
    assert ("consider whether" in summary) == (" recorded, consider whether it explains this" in summary)


def test_a_line_is_shortened_by_rank_and_takes_back_what_still_fits() -> None:
    parts = [Part(("first", "1"), (1,)), Part(("second part", "2nd", ""), (3, 2))]
    assert fitting_line(parts, "; ", 19) == "First; second part"
    assert fitting_line(parts, "; ", 18) == "First; 2nd"
    assert fitting_line(parts, "; ", 10) == "First"
    assert fitting_line(parts, "; ", 5) == "1"
    assert fitting_line(parts, "; ", 7) == "First"
    assert fitting_line([Part(())], "; ", 9) == ""
