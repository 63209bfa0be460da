"""Sentences that the criteria ask for, word by word, and what must not be said beside them."""

from dataclasses import replace

import pytest

from cds_service.services.card_composer import CardComposer
from tests.builders.charts_for_cards import CALLER, SITE, Chart, chart, knowledge, on
from tests.cards.situations import BOTH_LOW, LEUKOPENIA, SITUATIONS

HYPOTHESES = ("Leukemia", "Aplastic anemia", "Cirrhosis with hypersplenism, also when compensated")

SAID: list[tuple[str, Chart, list[str], list[str]]] = [
    ("one low result", chart().wbc("3.4", 2), ["one low result"], ["low on"]),
    ("two in hours", chart().wbc("3.4", 2).wbc("3.3", 2, hour=4), ["low on 2 results over 3 hours"], []),
    ("two in a day", chart().wbc("3.4", 2).wbc("3.3", 3), ["low on 2 results over 1 day;"], []),
    ("three months", SITUATIONS["three-months"], ["low for 3 months or more"], ["over 93 days"]),
    (
        "a gap",
        SITUATIONS["with-gap"],
        ["low on 2 results from 2025-08-18 to 2026-01-12, none between for 147 days"],
        [],
    ),
    ("isolated", SITUATIONS["thrombocytopenia-isolated"], ["Isolated: leukocytes are not low", "isolated"], []),
    (
        "not isolated",
        SITUATIONS["thrombocytopenia-leukocytes-not-available"],
        ["Leukocytes not available", "leukocytes not available"],
        ["solated"],
    ),
    ("clumps", SITUATIONS["thrombocytopenia-unreliable"], ["60 10\\*3/uL", "citrate tube", "unreliable"], ["solated"]),
    ("conflict", SITUATIONS["conflicting"], ["these two results disagree", "3.8 10\\*3/uL", "4.4 10\\*3/uL"], []),
    ("mild fall", SITUATIONS["mild-fall"], ["both fell within 7 days", "5.0 10\\*3/uL", "180 10\\*3/uL"], []),
    ("no spleen", SITUATIONS["spleen-absent"], ["absent or atrophic spleen recorded"], []),
    ("no cause", LEUKOPENIA, ["No recorded cause found in the data available"], ["in the data that could be read"]),
    (
        "conditions not understood",
        SITUATIONS["conditions-not-understood"],
        ["139 conditions in local code systems not understood"],
        ["No recorded cause", "not found in the data sent"],
    ),
    (
        "both low, conditions not understood",
        BOTH_LOW.lacking(unmapped_conditions=1),
        ["1 condition in local code systems not understood", *HYPOTHESES],
        ["not found in the data sent", "nothing in the data sent"],
    ),
    (
        "medications not available",
        SITUATIONS["medications-not-available"],
        ["Not available: medications"],
        ["not found in the data sent"],
    ),
    ("known", SITUATIONS["known-finding"], ["0.2 ×10⁹/L lower", "Recorded since 2025-03-21"], []),
    ("inactive", SITUATIONS["inactive-record"], ["This patient record is inactive", "Inactive record"], []),
    ("replaced", SITUATIONS["replaced-record"], ["has been replaced", "Replaced record"], []),
    ("child", SITUATIONS["child"], ["Under 18 years: age-specific limits differ"], []),
    ("adult on the birthday", LEUKOPENIA.patient(born=on(0).replace(year=2008)), [], ["Under 18"]),
    ("child before it", LEUKOPENIA.patient(born=on(-1).replace(year=2008)), ["Under 18"], []),
    ("pregnancy", SITUATIONS["pregnancy"], ["Pregnancy recorded"], []),
    ("unread", SITUATIONS["unread-newer"], ["A newer WBC result could not be used", "“see comment”"], []),
    ("estimate", SITUATIONS["estimate-shown"], ["Shown only, decides nothing: WBC 2.1 10\\*3/uL"], []),
    ("companions", SITUATIONS["companions"], ["hemoglobin 10.2 g/dL", "AST 55 U/L", "not used to judge"], []),
    ("blasts", SITUATIONS["critical-blasts"], ["blasts reported, 12 %"], ["recorded: hematologic malignancy"]),
    (
        "critical neutrophils",
        SITUATIONS["critical-neutrophils"],
        [
            "Neutrophils 0.4 are below 0.5 ×10⁹/L (CTCAE v5.0 grade 4).",
            "- Severity limit, neutrophils: below 0.5 ×10⁹/L, CTCAE v5.0 grade 4 (site default)",
            "- Severity reads results of the last 30 days (site default)",
        ],
        ["Blasts", "lowest band"],
    ),
    (
        "critical for four reasons",
        SITUATIONS["critical-both"],
        [
            "WBC 0.8 is below 1.0 ×10⁹/L (CTCAE v5.0 grade 4).",
            "Platelets 18 are below 25 ×10⁹/L (CTCAE v5.0 grade 4).",
            "Neutrophils 0.3 are below 0.5 ×10⁹/L (CTCAE v5.0 grade 4).",
            "Blasts are reported: 24 %.",
            "- Blasts above 0, or reported present, within 30 days (site default)",
        ],
        [],
    ),
    (
        "critical in another unit",
        chart().wbc("800", 2, "/uL", factor="0.001"),
        ["WBC 0.8 (800 /uL) is below 1.0 ×10⁹/L (CTCAE v5.0 grade 4)."],
        ["Blasts"],
    ),
    (
        "no cause, but context",
        chart().platelets("14", 2).condition("D69.3", 200),
        ["None of the source document's causes is recorded in the data available", "see the context below"],
        ["No recorded cause found"],
    ),
    (
        "no cause, but a pregnancy",
        SITUATIONS["pregnancy"],
        ["None of the source document's causes is recorded", "Pregnancy is recorded: see the top of this card."],
        ["No recorded cause found"],
    ),
    (
        "no cause, the finding known",
        SITUATIONS["known-finding"],
        ["No recorded cause found in the data available"],
        ["context below"],
    ),
    (
        "therapy, its kind above, its records among the causes",
        SITUATIONS["downgraded-therapy"],
        [
            "shown as information, because this record may explain it",
            "Cytotoxic or radiation therapy recorded before the newest low count: see the records below.",
            "Consider asking the treating team",
        ],
        ["nsistent", "earlier counts"],
    ),
    (
        "more therapy than the causes list",
        BOTH_LOW.condition("Z51.11", 9).condition("Z51.0", 8).drug("3002", 9).drug("3639", 9).drug("2555", 9),
        ["since 2026-01-06 (Condition/Z51.11); others: see the records below."],
        [],
    ),
    (
        "a benign variant",
        SITUATIONS["downgraded-benign"],
        ["Benign variant recorded: see the records below", "Consider comparing with earlier counts"],
        ["treating team"],
    ),
    (
        "platelets low twice",
        SITUATIONS["thrombocytopenia-isolated"],
        [
            "Platelets are low on two specimens at least 7 days apart",
            "- Two low specimens at least 7 days apart stand for staying low (site default)",
        ],
        ["below 100"],
    ),
    (
        "platelets low once",
        SITUATIONS["thrombocytopenia-leukocytes-not-available"],
        [
            "Platelets are below 100 ×10⁹/L, without low leukocytes",
            "- One low platelet count makes a card below 100 ×10⁹/L (site default)",
        ],
        ["two specimens", "Two low specimens"],
    ),
    ("symptoms", LEUKOPENIA, ["there may be none", "dizziness"], []),
    ("versions", LEUKOPENIA, ["Knowledge 2026.1+test, software 0.1.0: **not clinically approved**"], []),
    ("another patient's", SITUATIONS["many-not-used"], ["1 resource of another patient"], ["0.7 10", "aside-7"]),
]  # fmt: skip


@pytest.mark.parametrize(("made", "said", "never"), [one[1:] for one in SAID], ids=[one[0] for one in SAID])
def test_the_card_says(made: Chart, said: list[str], never: list[str]) -> None:
    card = made.card
    text = f"{card.summary}\n{card.detail}"
    assert [sentence for sentence in said if sentence not in text] == []
    assert [sentence for sentence in never if sentence in text] == []


@pytest.mark.parametrize("name", [name for name, made in SITUATIONS.items() if made.card.summary.count("both low")])
def test_low_counts_of_both_always_name_leukemia_aplastic_anemia_and_hypersplenism(name: str) -> None:
    causes = SITUATIONS[name].card.detail.partition("#### What this record says about causes")[2]
    assert [one for one in HYPOTHESES if one.casefold() not in causes.casefold()] == []


@pytest.mark.parametrize(
    ("code", "group", "hypothesis"),
    [
        ("C81.90", "Hematologic malignancy", "leukemia"),
        ("C79.52", "Hematologic malignancy", "leukemia"),
        ("C90.00", "Hematologic malignancy", "leukemia"),
        ("D61.82", "Marrow failure", "aplastic anemia"),
        ("E75.22", "Spleen and liver", "cirrhosis with hypersplenism, also when compensated"),
        ("R16.1", "Spleen and liver", "cirrhosis with hypersplenism, also when compensated"),
    ],
)
def test_a_record_stands_under_its_group_never_under_a_disease_it_isnt(code: str, group: str, hypothesis: str) -> None:
    detail = BOTH_LOW.condition(code, 900).card.detail
    (line,) = [line for line in detail.splitlines() if line.startswith(f"- **{group}**")]
    assert line.startswith(f"- **{group}** (the source document names {hypothesis}; ")
    assert ": recorded in this chart: " in line
    assert code in line
    for one in HYPOTHESES:
        told = [line for line in detail.splitlines() if line.startswith(f"- **{one}**")]
        assert all("recorded in this chart" not in line for line in told)


def test_the_record_is_said_first() -> None:
    made = LEUKOPENIA.patient(active=False, born=on(4000)).condition("D72.819", 300).lacking(counts_incomplete=True)
    assert made.card.detail.startswith("**This patient record is inactive.**")


def test_of_what_is_known_the_change_comes_first() -> None:
    detail = SITUATIONS["known-finding"].card.detail
    assert detail.startswith("**WBC 0.2 ×10⁹/L lower** than on 2025-12-23: 3.1 10\\*3/uL, then 2.9 10\\*3/uL.")


def test_at_most_five_lines_say_what_was_not_used() -> None:
    lines = [line for line in SITUATIONS["many-not-used"].card.detail.splitlines() if line.startswith("- Not used")]
    assert len(lines) == 5
    assert lines[-1] == "- Not used: 3 more results."


def test_approved_knowledge_is_not_called_a_draft() -> None:
    approved = replace(knowledge(), drafts=())
    (card,) = CardComposer(approved, SITE).compose(LEUKOPENIA.assessment, CALLER).cards
    assert "approved" not in card.detail


@pytest.mark.parametrize("name", [name for name, made in SITUATIONS.items() if made.card.detail.count("shown as info")])
def test_a_record_that_may_explain_it_is_listed_once(name: str) -> None:
    detail = SITUATIONS[name].card.detail
    for _, evidence in SITUATIONS[name].assessment.alert.downgrades:  # type: ignore[union-attr]
        assert detail.count(f"({evidence.reference})") == 1


def test_the_card_says_under_age_where_the_assessment_does() -> None:
    assessment = replace(LEUKOPENIA.assessment, minor=True)
    (card,) = CardComposer(knowledge(), SITE).compose(assessment, CALLER).cards
    assert card.detail.startswith("Under 18 years: age-specific limits differ")
