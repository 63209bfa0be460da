"""Conditions and drugs by cause group: which codes and names say what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hematology.clinical_picture import Affects, CauseMatch, Course, Downgrade, Use
from tests.builders.knowledge import listed_rows, shipped_knowledge

CAUSES = shipped_knowledge().causes
CM = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = "http://hl7.org/fhir/sid/icd-10"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"


def groups(*codings: tuple[str, str]) -> dict[str, Use]:
    return {match.group: match.use for match in CAUSES.match_codings(codings)}


def only(*codings: tuple[str, str]) -> CauseMatch:
    (match,) = CAUSES.match_codings(codings)
    return match


@pytest.mark.parametrize("code", ["C91", "C91.0", "C910", "C91.00", "C9100", "c91.00", " C91.01 "])
def test_a_prefix_takes_the_codes_below_it_with_or_without_dot(code: str) -> None:
    match = only((CM, code))
    assert (match.group, match.display, match.downgrade) == ("hematologic-malignancy", "Lymphoid leukemia", "marrow")
    assert match.code == code.strip()


@pytest.mark.parametrize(
    "code", ["C9", "C", "C9.1", "C9.10", "C91-C95", "XC91", "C91.", "C91.000000", "C91 leukemia", ""]
)
def test_a_prefix_holds_at_the_code_boundary_only(code: str) -> None:
    assert groups((CM, code)) == ({} if code != "C91." else {"hematologic-malignancy": Use.EVIDENCE})


@pytest.mark.parametrize("code", ["D61.10", "D6110", "K76.61", "D61"])
def test_an_exact_row_takes_nothing_below_or_above_it(code: str) -> None:
    assert groups((CM, code)) == {}


@pytest.mark.parametrize(
    ("code", "use"), [("M06.9", Use.EVIDENCE), ("M06.1", Use.WEAK), ("M061", Use.WEAK), ("M05.9", Use.EVIDENCE)]
)
def test_within_a_group_the_longest_row_decides_also_when_it_is_weak(code: str, use: Use) -> None:
    assert groups((CM, code)) == {"connective-tissue": use}


def test_the_longest_of_two_codings_of_one_system_decides() -> None:
    assert groups((CM, "M06"), (CM, "M06.1")) == {"connective-tissue": Use.WEAK}


@pytest.mark.parametrize(
    "codings",
    [
        ((SNOMED, "62484002"), (CM, "K74.60")),
        ((CM, "K74.60"), (SNOMED, "62484002")),
        ((SNOMED, "62484002"), (SNOMED, "16294009")),
    ],
)
def test_a_weak_code_beside_it_takes_no_evidence_away(codings: tuple[tuple[str, str], ...]) -> None:
    assert groups(*codings) == {"splenic": Use.EVIDENCE}


@pytest.mark.parametrize(
    "codings",
    [
        ((CM, "B19.10"), (SNOMED, "66071002")),
        ((SNOMED, "66071002"), (CM, "B19.10")),
        ((SNOMED, "3738000"), (SNOMED, "66071002")),
    ],
)
def test_an_acute_code_beside_it_takes_no_chronic_evidence_away(codings: tuple[tuple[str, str], ...]) -> None:
    """Unspecified hepatitis B is coded so in many records: acute by its ICD-10-CM row, chronic by its SNOMED CT row."""
    match = only(*codings)
    assert (match.group, match.use, match.course) == ("infection", Use.EVIDENCE, "chronic")


def test_the_length_of_a_code_says_nothing_where_codes_have_no_hierarchy() -> None:
    mercaptopurine, colchicine = (RXNORM, "103"), (RXNORM, "2683")
    assert groups(colchicine) == {"drug": Use.WEAK}
    assert groups(mercaptopurine, colchicine) == {"drug": Use.EVIDENCE}


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ((CM, "D61.1"), {"marrow-failure", "drug"}),
        ((CM, "M05.00"), {"connective-tissue", "splenic"}),
        ((SNOMED, "57160007"), {"connective-tissue", "splenic"}),
        ((CM, "B18.2"), {"infection"}),
        ((CM, "E75.22"), {"genetic", "splenic"}),
    ],
)
def test_a_code_may_support_several_groups(coding: tuple[str, str], expected: set[str]) -> None:
    assert set(groups(coding)) == expected


@pytest.mark.parametrize("system", [WHO, GM, "http://hl7.org/fhir/sid/icd-10-am", "http://hl7.org/fhir/sid/icd-10-ca"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("B20", {"infection"}),
        ("B20.8", {"infection"}),  # a three-character exact row takes its subcodes here
        ("D45", {"hematopoietic-other"}),
        ("C91.0", {"hematologic-malignancy"}),
        ("K74.6", {"splenic"}),
        ("D73.1", {"splenic"}),
        ("D61.0", {"genetic"}),
        ("D61.8", {"marrow-failure"}),
        ("D61.810", set()),  # a fifth character of ICD-10-CM
        ("D61.89", set()),
        ("D70.3", set()),
        ("D75.81", set()),
        ("Z51.1", {"physical-chemical"}),
        ("Z51.11", set()),
        ("M06.1", {"connective-tissue"}),
    ],
)
def test_who_forms_take_only_what_holds_there(system: str, code: str, expected: set[str]) -> None:
    assert set(groups((system, code))) == expected


@pytest.mark.parametrize("code", ["K74.6+", "K74.6*", "K74.6!", "K74.6-", "K74.-"])
def test_marks_of_the_german_modification_are_dropped(code: str) -> None:
    assert groups((GM, code)) == ({} if code == "K74.-" else {"splenic": Use.EVIDENCE})


def test_a_three_character_exact_row_takes_no_subcode_in_icd_10_cm() -> None:
    assert groups((CM, "B20.8")) == {}


@pytest.mark.parametrize("row", ["84027009", "234437005", "127035006"])
def test_no_marrow_downgrade_outside_marrow_malignancy_failure_and_transplant(row: str) -> None:
    match = only((SNOMED, row))
    assert (match.group, match.use, match.downgrade) == ("hematopoietic-other", Use.EVIDENCE, None)


@pytest.mark.parametrize(
    ("code", "group", "downgrade"),
    [
        ("L01CD01", "physical-chemical", Downgrade.THERAPY),
        ("L01AA01", "physical-chemical", Downgrade.THERAPY),
        ("L01EA01", "physical-chemical", None),
        ("L01FD01", "physical-chemical", None),
        ("L01XA01", "physical-chemical", None),
        ("L01FA01", "drug", None),  # the longer row belongs to another group: it alone decides
        ("L01BA01", "drug", None),
        ("l01ba01", "drug", None),
        ("L02BG03", None, None),
        ("L01BA0", None, None),
        ("L", None, None),
    ],
)
def test_the_longest_atc_row_decides(code: str, group: str | None, downgrade: Downgrade | None) -> None:
    matches = CAUSES.match_codings(((ATC, code),))
    assert [(match.group, match.downgrade) for match in matches] == ([(group, downgrade)] if group else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Methotrexate 2.5 MG Oral Tablet", {"drug"}),
        ("AZATHIOPRINE", {"drug"}),
        ("Azathioprin-ratiopharm", set()),
        ("sulfamethoxazole 800 MG / trimethoprim 160 MG", {"drug"}),
        ("Sulfamethoxazole-Trimethoprim", {"drug"}),
        ("interferon alfa-2b, recombinant", {"drug"}),
        ("peginterferon alfa-2a 180 mcg", {"drug"}),
        ("cyclophosphamide 500 mg injection", {"physical-chemical"}),
        ("valproic acid; 500 mg", {"drug"}),
        ("prednisone 5 mg", {"counter"}),
        ("methotrexates", set()),
        ("hydroquinine", set()),
        ("antineoplastic agents", set()),
        ("Calcineurin inhibitors", set()),
        ("Glucocorticoids", set()),
        ("interferons", set()),
        ("recombinant", set()),
        ("systemic, rectal", set()),
        ("", set()),
    ],
)
def test_a_drug_is_known_by_the_whole_name_of_a_single_substance(text: str, expected: set[str]) -> None:
    assert {match.group for match in CAUSES.match_drug_name(text)} == expected


@pytest.mark.parametrize("text", ["sulfamethoxazole and trimethoprim", "sulfamethoxazole / trimethoprim"])
def test_a_combination_is_known_by_its_substances_not_by_a_name_of_its_own(text: str) -> None:
    (match,) = CAUSES.match_drug_name(text)
    assert (match.system, match.display) == (RXNORM, "sulfamethoxazole")


def test_a_chart_names_its_own_code_and_our_display() -> None:
    match = only((GM, "K74.6"))
    assert (match.system, match.code) == (GM, "K74.6")
    assert match.display == "Other and unspecified cirrhosis of liver"


def test_a_code_recognised_but_never_evidence_is_known_and_matches_nothing() -> None:
    assert CAUSES.knows_code(CM, "K76.0")
    assert groups((CM, "K76.0")) == {}
    assert not CAUSES.knows_code(CM, "I10")
    assert not CAUSES.knows_code("https://local.example/codes", "C91")


@pytest.mark.parametrize("system", [CM, WHO, GM, SNOMED, RXNORM, ATC])
def test_the_systems_of_the_catalogue_are_understood(system: str) -> None:
    assert CAUSES.understands_system(system)


@pytest.mark.parametrize("system", ["", "http://loinc.org", "https://local.example/codes", CM + "/"])
def test_other_systems_are_not(system: str) -> None:
    assert not CAUSES.understands_system(system)


@given(st.tuples(st.sampled_from([CM, WHO, GM, SNOMED, RXNORM, ATC, "", "x"]), st.text(max_size=12)))
def test_no_code_breaks_the_catalogue_and_no_match_is_of_use_none(coding: tuple[str, str]) -> None:
    assert all(match.use is not Use.NONE for match in CAUSES.match_codings((coding,)))


@given(st.text(max_size=80))
def test_no_text_breaks_the_search_for_names(text: str) -> None:
    CAUSES.match_drug_name(text)


def test_every_row_of_the_raw_list_matches_its_group() -> None:
    dropped = {"84027009", "234437005", "127035006"}
    for row in listed_rows("causes.csv"):
        assert CAUSES.knows_code(row["system"], row["code"]), row
        if row["use"] == "none":
            continue
        found = {match.group: match for match in CAUSES.match_codings(((row["system"], row["code"]),))}
        match = found[row["group"]]
        assert (match.use, match.course, match.affects) == (
            Use(row["use"]),
            Course(row["course"]),
            Affects(row["affects"]),
        ), row
        expected = None if row["code"] in dropped else row["downgrade"].split()[:1]
        assert match.downgrade == (expected[0] if expected else None), row
        for mechanism in ("production", "destruction", "distribution"):
            assert (f"mech={mechanism}" in row["note"]) == (mechanism in match.mechanisms), row


def test_every_row_marked_for_who_forms_holds_there() -> None:
    for row in listed_rows("causes.csv"):
        if row["who_icd10"] and row["use"] != "none":
            assert row["group"] in groups((WHO, row["code"])), row
