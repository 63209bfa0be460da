"""A site's concept maps: what a mapped code means from then on, and what is not used though it is in order."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap

from cds_service.hematology.lab_results import Analyte, CompanionKind
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge, LabUse
from tests.builders.concept_maps import (
    ATC,
    EVERY_ELEMENT,
    EXAMPLE,
    FORMULARY,
    ICD_10_CM,
    LAB,
    LOINC,
    PROBLEMS,
    SCT,
    concept_map,
    group,
    target,
    written,
)
from tests.builders.knowledge import shipped_knowledge

SOUND: dict[str, Any] = {
    "the example": json.loads(EXAMPLE.read_text(encoding="utf-8")),
    "the smallest": concept_map(),
    "every element that may stand there": EVERY_ELEMENT,
    "an unmatched element": concept_map(group(LAB, LOINC, X=[target(None, "unmatched")], WBC="6690-2")),
}


def loaded(folder: Path, *groups: Any, **members: Any) -> Knowledge:
    return load_knowledge(None, [written(folder, concept_map(*groups, **members))])


def groups_of(knowledge: Knowledge, *codings: tuple[str, str]) -> dict[str, str]:
    """The cause groups these codings support, each with the code that is shown for it."""
    return {match.group: match.code for match in knowledge.causes.match_codings(codings)}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_what_is_accepted_is_a_valid_r4_concept_map(tmp_path: Path, content: Any) -> None:
    assert load_knowledge(None, [written(tmp_path, content)]).concept_maps
    assert ConceptMap.model_validate(content)


@pytest.mark.parametrize(
    ("code", "use", "analyte"),
    [
        ("6690-2", LabUse.COUNT, Analyte.LEUKOCYTES),
        ("777-3", LabUse.COUNT, Analyte.PLATELETS),
        ("751-8", LabUse.COUNT, Analyte.NEUTROPHILS),
        ("49498-9", LabUse.LOW_CONFIDENCE_COUNT, Analyte.LEUKOCYTES),
        ("718-7", LabUse.COMPANION, None),
        ("7796-6", LabUse.CLUMPING, None),
        ("58410-2", LabUse.PANEL, None),
        ("26465-5", LabUse.NEVER, None),
    ],
)
@pytest.mark.parametrize("equivalence", ["equal", "equivalent"])
def test_a_local_test_is_as_good_as_its_target(
    tmp_path: Path, code: str, use: LabUse, analyte: Analyte | None, equivalence: str
) -> None:
    found = loaded(tmp_path, group(LAB, LOINC, T=[target(code, equivalence)])).lab_codes[LAB, "T"]
    assert (found.use, found.analyte) == (use, analyte)
    assert (found.system, found.code) == (LAB, "T"), "it is asked for by its own code"


def test_a_local_test_keeps_what_else_its_target_says(tmp_path: Path) -> None:
    knowledge = loaded(tmp_path, group(LAB, LOINC, A="33256-9", B="718-7"))
    assert knowledge.lab_codes[LAB, "A"].nrbc_corrected
    assert knowledge.lab_codes[LAB, "B"].companion is CompanionKind.HEMOGLOBIN


@pytest.mark.parametrize(
    "equivalence", ["wider", "subsumes", "narrower", "specializes", "inexact", "relatedto", "unmatched", "disjoint"]
)
def test_only_the_same_meaning_makes_a_test_ours(tmp_path: Path, equivalence: str) -> None:
    code = None if equivalence == "unmatched" else "6690-2"
    knowledge = loaded(tmp_path, group(LAB, LOINC, T=[target(code, equivalence)]))
    assert knowledge.lab_codes == shipped_knowledge().lab_codes
    assert [(found.codes, found.unused) for found in knowledge.concept_maps] == [(0, 1)]


@pytest.mark.parametrize(
    ("equivalence", "is_cause"),
    [
        ("equal", True),
        ("equivalent", True),
        ("wider", True),  # whoever has the narrower condition of the chart has the wider one
        ("subsumes", True),
        ("narrower", False),  # "liver disease" of the chart is no cirrhosis
        ("specializes", False),
        ("inexact", False),
        ("relatedto", False),
        ("disjoint", False),
    ],
)
def test_a_cause_may_be_mapped_to_what_it_implies_never_to_more(
    tmp_path: Path, equivalence: str, is_cause: bool
) -> None:
    knowledge = loaded(tmp_path, group(PROBLEMS, ICD_10_CM, HX=[target("K74.60", equivalence)]))
    assert groups_of(knowledge, (PROBLEMS, "HX")) == ({"splenic": "HX"} if is_cause else {})
    assert knowledge.causes.understands_code(PROBLEMS, "HX") is is_cause


@pytest.mark.parametrize(
    ("system", "code", "groups"),
    [
        (ICD_10_CM, "K74.60", {"splenic"}),
        (ICD_10_CM, "D61.9", {"marrow-failure"}),
        (SCT, "19943007", {"splenic"}),
        (ATC, "L04AX01", {"drug"}),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "6851", {"drug"}),
        ("http://hl7.org/fhir/sid/icd-10", "M32.1", {"connective-tissue"}),
    ],
)
def test_a_local_cause_is_as_good_as_its_target(tmp_path: Path, system: str, code: str, groups: set[str]) -> None:
    knowledge = loaded(tmp_path, group(PROBLEMS, system, HX=code))
    assert groups_of(knowledge, (PROBLEMS, "HX")) == dict.fromkeys(groups, "HX")
    assert groups_of(knowledge, (system, code)) == groups_of(shipped_knowledge(), (system, code))
    assert knowledge.causes.knows_code(PROBLEMS, "HX")


def test_a_system_is_understood_only_as_far_as_it_is_mapped(tmp_path: Path) -> None:
    causes = loaded(tmp_path, group(PROBLEMS, ICD_10_CM, HX="K74.60")).causes
    assert not causes.understands_code(PROBLEMS, "HY")
    assert not causes.understands_code(PROBLEMS, "hx"), "codes are compared as they stand"
    assert not causes.understands_code(LAB, "HX")
    assert not causes.understands_system(PROBLEMS)
    assert causes.understands_code(ICD_10_CM, "I10"), "standard systems are understood as before"
    assert causes.match_drug_name("azathioprine 50 mg")


def test_a_local_code_weighs_as_its_target_does(tmp_path: Path) -> None:
    knowledge = loaded(tmp_path, group(PROBLEMS, ICD_10_CM, HX="K74.60", HY="D61.9"))
    for codings in (((PROBLEMS, "HX"), (PROBLEMS, "HY")), ((ICD_10_CM, "K74.60"), (PROBLEMS, "HY"))):
        assert set(groups_of(knowledge, *codings)) == {"splenic", "marrow-failure"}
    both = ((PROBLEMS, "HX"), (ICD_10_CM, "K74.60"))
    assert groups_of(knowledge, *both) == {"splenic": "K74.60"}, "of one meaning the code sent as such is shown"


def test_a_code_may_stand_for_several_causes(tmp_path: Path) -> None:
    rows = group(PROBLEMS, ICD_10_CM, HX=[target("K74.60"), target("D61.9", "wider")])
    assert set(groups_of(loaded(tmp_path, rows), (PROBLEMS, "HX"))) == {"splenic", "marrow-failure"}


def test_a_code_may_be_mapped_to_several_systems_that_agree(tmp_path: Path) -> None:
    tests = (group(LAB, LOINC, WBC="6690-2"), group(LAB, SCT, WBC="1022541000000102"))
    drugs = (group(FORMULARY, ATC, F="L04AX01"), group(FORMULARY, SCT, F=[target(None, "unmatched")]))
    knowledge = loaded(tmp_path, *tests, *drugs)
    assert knowledge.lab_codes[LAB, "WBC"].analyte is Analyte.LEUKOCYTES
    assert set(groups_of(knowledge, (FORMULARY, "F"))) == {"drug"}


def test_what_is_ours_already_changes_nothing(tmp_path: Path) -> None:
    rows = (group(LOINC, LOINC, **{"26464-8": "6690-2"}), group(ICD_10_CM, ICD_10_CM, **{"K74.69": "K74.60"}))
    knowledge = loaded(tmp_path, *rows)
    assert knowledge.lab_codes == shipped_knowledge().lab_codes
    assert [(found.codes, found.unused) for found in knowledge.concept_maps] == [(0, 2)]


def test_an_unregistered_uri_of_a_known_system_can_be_mapped(tmp_path: Path) -> None:
    rows = group("https://fhir.loinc.org", LOINC, **{"6690-2": "6690-2"})
    assert loaded(tmp_path, rows).lab_codes["https://fhir.loinc.org", "6690-2"].use is LabUse.COUNT


def test_the_version_tells_the_maps_content_whatever_their_order_and_place(tmp_path: Path) -> None:
    first = written(tmp_path, concept_map(), "first.json")
    second = written(tmp_path, concept_map(group(LAB, LOINC, PLT="777-3"), name="Second"), "second.json")
    shipped, one, both = shipped_knowledge(), load_knowledge(None, [first]), load_knowledge(None, [first, second])
    assert one.version.startswith(f"{shipped.version}+maps:")
    assert len({shipped.version, one.version, both.version}) == 3
    assert load_knowledge(None, [second, first]).version == both.version
    assert load_knowledge(None, [first.rename(tmp_path / "renamed.json")]).version == one.version
    assert [str(found) for found in both.concept_maps] == ["SyntheticSite 1", "Second 1"]
    changed = written(tmp_path, concept_map(group(LAB, LOINC, WBC="804-5")), "first.json")
    assert load_knowledge(None, [changed]).version != one.version
    assert load_knowledge().version == shipped.version


@pytest.mark.parametrize(
    ("members", "is_draft"),
    [({}, False), ({"status": "draft"}, True), ({"status": "unknown"}, True), ({"experimental": True}, True)],
)
def test_a_map_that_its_site_does_not_stand_by_is_a_draft(
    tmp_path: Path, members: dict[str, Any], is_draft: bool
) -> None:
    assert ("concept map SyntheticSite" in loaded(tmp_path, **members).drafts) is is_draft
