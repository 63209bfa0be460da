"""What the shipped knowledge holds, and what identifies it."""

import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.hematology.criteria import Bands, Criterion
from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.loader import SHIPPED, load_knowledge
from tests.builders.knowledge import shipped_knowledge

KNOWLEDGE = shipped_knowledge()


@pytest.mark.statement("leukopenia-threshold", "leukopenia-definition")
def test_the_document_gives_one_number_and_the_rest_are_site_defaults() -> None:
    criteria = [value for value in vars(KNOWLEDGE.guideline).values() if isinstance(value, Criterion)]
    cited = [criterion for criterion in criteria if not criterion.is_site_default]
    assert [(criterion.id, criterion.value, criterion.unit) for criterion in cited] == [
        ("leukopenia_below", Decimal("4.0"), "10*9/L")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    {
        "thrombocytopenia_below": "150",
        "lookback": "365",
        "current": "90",
        "separation": "7",
        "pair": "7",
        "run_gap": "180",
        "long_run": "90",
        "long_run_gap": "90",
        "same_specimen_hours": "24",
        "clumping_before_hours": "24",
        "severity_window": "30",
        "critical_leukocytes_below": "1.0",
        "critical_neutrophils_below": "0.5",
        "critical_platelets_below": "25",
        "mild_leukocytes_at_least": "3.0",
        "mild_platelets_at_least": "100",
        "mild_fall_within": "7",
        "thrombocytopenia_card_below": "100",
        "acute_before": "30",
        "acute_after": "7",
        "exposure_before": "90",
        "blasts_window": "30",
        "therapy_encounter_before": "42",
        "cytotoxic_order_before": "90",
        "benign_leukocytes_at_least": "2.0",
        "benign_neutrophils_below": "1.0",
        "adult_age": "18",
    }.items(),
)
def test_the_site_defaults_are_those_agreed(field: str, value: str) -> None:
    assert getattr(KNOWLEDGE.guideline, field).value == Decimal(value)


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        ("leukocyte_bands", ("3.0", "2.0", "1.0")),
        ("platelet_bands", ("75", "50", "25")),
        ("neutrophil_bands", ("1.5", "1.0", "0.5")),
    ],
)
def test_the_bands_are_those_of_ctcae_5(field: str, limits: tuple[str, ...]) -> None:
    bands: Bands = getattr(KNOWLEDGE.guideline, field)
    assert [criterion.value for criterion in bands.below] == [Decimal(limit) for limit in limits]


def test_what_is_plausible_and_accepted() -> None:
    assert KNOWLEDGE.plausibility.at_most[Analyte.LEUKOCYTES] == 1000
    assert KNOWLEDGE.plausibility.at_most[Analyte.PLATELETS] == 10000
    assert KNOWLEDGE.plausibility.above_zero_at_least == Decimal("0.005")
    assert KNOWLEDGE.accepted_statuses == {"final", "amended", "corrected"}


@pytest.mark.statement("both-low-leukemia-aplastic-anemia", "both-low-explained-by-them", "cirrhosis-hypersplenism")
def test_what_the_document_names_for_both_low_is_always_named() -> None:
    named = {group.id: group.named_causes for group in KNOWLEDGE.guideline.groups if group.always_named}
    assert named["hematologic-malignancy"] == ("leukemia",)
    assert named["marrow-failure"] == ("aplastic anemia",)
    assert named["splenic"] == ("cirrhosis, especially compensated", "hypersplenism")
    assert len(named) == 3


@pytest.mark.statement("leukopenia-secondary", "leukopenia-two-classes")
def test_every_named_secondary_cause_has_a_group() -> None:
    named = {cause for group in KNOWLEDGE.guideline.groups for cause in group.named_causes}
    assert named >= {
        "acute infections",
        "physical and chemical factors",
        "diseases of the hematopoietic system",
        "connective tissue diseases",
        "allergic diseases",
        "genetic diseases",
    }


@pytest.mark.statement("mechanism-production", "mechanism-destruction", "mechanism-distribution")
def test_each_mechanism_explains_some_group_and_cites_its_statement() -> None:
    for mechanism in ("production", "destruction", "distribution"):
        assert any(mechanism in group.mechanisms for group in KNOWLEDGE.guideline.groups)
        assert KNOWLEDGE.guideline.statements[mechanism] == f"mechanism-{mechanism}"


@pytest.mark.statement("leukopenia-symptoms")
def test_symptoms_are_told_from_the_document_and_are_evidence_for_no_group() -> None:
    assert KNOWLEDGE.guideline.statements["symptoms"] == "leukopenia-symptoms"
    icd_10_cm = "http://hl7.org/fhir/sid/icd-10-cm"
    dizziness, fatigue, limb_pain, no_appetite, malaise = "R42", "R53.83", "M79.60", "R63.0", "R53.81"
    for code in (dizziness, fatigue, limb_pain, no_appetite, malaise):
        assert not KNOWLEDGE.causes.knows_code(icd_10_cm, code)


def test_groups_that_are_context_only_are_never_offered_as_the_documents_cause() -> None:
    context = {group.id for group in KNOWLEDGE.guideline.groups if group.context_only}
    assert context == {
        "pregnancy",
        "alcohol",
        "nutritional",
        "benign-variant",
        "known-finding",
        "known-platelet-disease",
        "transplant",
        "counter",
        "splenic-counter",
    }
    assert all(KNOWLEDGE.guideline.group(group).statement is None for group in context)


@pytest.mark.parametrize("word", ["csf", "liquor", "bone marrow", "knochenmark", "lcr", "orina", "feci", "beenmerg"])
def test_a_specimen_other_than_blood_has_its_words_in_each_language(word: str) -> None:
    assert word in KNOWLEDGE.words.not_blood


def test_words_are_case_folded_and_specimen_only_words_are_apart() -> None:
    words = KNOWLEDGE.words
    everything = (*words.not_blood, *words.not_blood_in_specimen, *words.clump_stems, *words.clump_positive)
    assert all(word == word.casefold() for word in everything)
    assert not words.not_blood & words.not_blood_in_specimen
    assert {"fluid", "cord", "donor", "control"} <= words.not_blood_in_specimen


def test_the_version_names_edition_and_content(tmp_path: Path) -> None:
    assert re.fullmatch(r"\d{4}\.\d+\+[0-9a-f]{12}", KNOWLEDGE.version)
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    assert load_knowledge(copy).version == KNOWLEDGE.version
    with (copy / "screening.toml").open("a", encoding="utf-8") as file:
        file.write("# a site's remark\n")
    assert load_knowledge(copy).version != KNOWLEDGE.version


def test_one_letter_makes_another_version(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    path = copy / "criteria/leukopenia.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"4.0"', '"4.1"'), encoding="utf-8")
    assert load_knowledge(copy).version != KNOWLEDGE.version


def test_a_file_renamed_is_another_version(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    (copy / "criteria/causes.toml").rename(copy / "criteria/causation.toml")
    assert load_knowledge(copy).version != KNOWLEDGE.version


def test_an_approved_piece_is_no_draft(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    path = copy / "criteria/leukopenia.toml"
    approved = f'status = "approved"\nby = "A. B."\non = {date(2026, 11, 24)}'
    path.write_text(path.read_text(encoding="utf-8").replace('status = "draft"', approved), encoding="utf-8")
    assert set(KNOWLEDGE.drafts) - set(load_knowledge(copy).drafts) == {"criteria/leukopenia.toml"}


def test_everything_is_a_draft_today() -> None:
    files = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*.toml")} | {
        path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*.json")
    }
    without_approval = {"edition.toml", "source_document.toml"}
    assert {name.partition(" ")[0] for name in KNOWLEDGE.drafts} == files - without_approval


def test_loading_needs_no_fhir_library() -> None:
    script = (
        "import sys; from cds_service.knowledge.loader import load_knowledge; load_knowledge();"
        "sys.exit('fhir' in sys.modules or 'pydantic' in sys.modules or 'flask' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_mounted_config_map_is_the_same_knowledge(tmp_path: Path) -> None:
    """Its files lie in a hidden folder named after the time, with links to them."""
    hidden = Path(shutil.copytree(SHIPPED, tmp_path / "mounted" / "..2026_01_15"))
    (hidden.parent / "..data").symlink_to(hidden.name)
    for file in hidden.iterdir():
        (hidden.parent / file.name).symlink_to(Path("..data") / file.name)
    assert load_knowledge(hidden.parent).version == KNOWLEDGE.version
