"""Everything cites the source document or is a site default, and every statement is cited or excused."""

import re
from pathlib import Path

import pytest
from fhir.resources.R4B.valueset import ValueSet

from cds_service.knowledge.loader import SHIPPED
from cds_service.knowledge.model import Statement
from cds_service.knowledge.statements_page import pages
from cds_service.knowledge.value_sets import load_value_sets
from tests.builders.knowledge import shipped_knowledge

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT.parent / "shared" / "source" / "leukopenia.txt"
STATEMENTS = shipped_knowledge().statements


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    page = pages(PROJECT, SHIPPED)["statements.md"]
    return {part.partition("\n")[0].strip(): part for part in page.split("\n## ")[1:]}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda statement: statement.id)
def test_a_statement_is_cited_and_tested_or_excused(sections: dict[str, str], statement: Statement) -> None:
    section = sections[statement.id]
    cited = "Knowledge that rests on it:" in section
    assert cited is (statement.excused is None)
    assert not cited or "Tests that rest on it:" in section


def test_each_sentence_of_the_document_has_a_statement() -> None:
    if not DOCUMENT.is_file():
        pytest.skip("the source document is not beside the project")
    lines = [line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.strip()][1:]
    located = {statement.locator.partition(", ")[0::2] for statement in STATEMENTS.values()}
    for title, answer in zip(lines[::2], lines[1::2], strict=True):
        sentences = re.findall(r"[^.]+(?:\.\d[^.]*)*\.", answer)
        numbers = {number.partition(",")[0] for question, number in located if question == title}
        assert numbers == {f"sentence {number}" for number in range(1, len(sentences) + 1)}, title


def test_no_paraphrase_copies_the_document() -> None:
    if not DOCUMENT.is_file():
        pytest.skip("the source document is not beside the project")
    words = re.findall(r"[\w.]+", DOCUMENT.read_text(encoding="utf-8").lower())
    runs = {tuple(words[start : start + 8]) for start in range(len(words))}
    for statement in STATEMENTS.values():
        own = re.findall(r"[\w.]+", statement.paraphrase.lower())
        assert not runs & {tuple(own[start : start + 8]) for start in range(len(own) - 7)}, statement.id


@pytest.mark.parametrize("path", sorted((SHIPPED / "value_sets").glob("*.json")), ids=lambda path: path.stem)
def test_a_value_set_is_a_valid_fhir_resource(path: Path) -> None:
    resource = ValueSet.model_validate_json(path.read_text(encoding="utf-8"))
    assert resource.url == f"https://cytopenia-cds.org/fhir/ValueSet/{path.stem}"


def test_a_value_set_with_codes_of_others_carries_their_notice() -> None:
    notices = {"http://loinc.org": "LOINC", "http://snomed.info/sct": "SNOMED CT", "http://www.whocc.no/atc": "ATC"}
    for value_set in load_value_sets(SHIPPED):
        text = (SHIPPED / value_set.file).read_text(encoding="utf-8")
        notice = re.search(r'"copyright": "([^\n]*)"', text)
        systems = {concept.system for include in value_set.includes for concept in include.concepts}
        for system in systems & notices.keys():
            assert notice, value_set.file
            assert notices[system] in notice.group(1), value_set.file


def test_the_notices_ship_with_the_data() -> None:
    notice = (PROJECT / "NOTICE").read_text(encoding="utf-8")
    assert (SHIPPED / "NOTICE").read_text(encoding="utf-8") == notice
    for owner in ("LOINC", "SNOMED CT", "UCUM", "ATC", "ICD-10", "RxNorm"):
        assert f"\n{owner}" in notice
