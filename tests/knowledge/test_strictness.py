"""One fault at a time in a copy of the knowledge: the error names file and key, and says what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cds_service.knowledge.loader import SHIPPED, load_knowledge
from cds_service.knowledge.strict_files import KnowledgeError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))


class Fault(NamedTuple):
    """Text of a file that is replaced, and what the error must name."""

    file: str
    old: str
    new: str
    key: str
    says: str


LEUKOPENIA = "criteria/leukopenia.toml"
SPLENIC = "cause_groups/splenic.toml"
CAUSES = "value_sets/causes-splenic.json"
COUNTS = "value_sets/leukocyte-counts.json"
LEUKOPENIA_LIMIT = '[leukopenia_below]\nvalue = "4.0"'

FAULTS = [
    Fault(LEUKOPENIA, "[leukopenia_below]", "[leukopenia_under]", "leukopenia_under", "unknown criterion"),
    Fault(LEUKOPENIA, LEUKOPENIA_LIMIT, f'{LEUKOPENIA_LIMIT}\nvalu = "4"', "leukopenia_below.valu", "unknown key"),
    Fault(LEUKOPENIA, LEUKOPENIA_LIMIT, f'{LEUKOPENIA_LIMIT}\nvalue = "5"', "value", "TOML"),
    Fault(LEUKOPENIA, "[separation]", "[leukopenia_below]", "leukopenia_below", "TOML"),
    Fault(LEUKOPENIA, "[separation]", "[current]", "current", "also stands in criteria/leukopenia.toml"),
    Fault(LEUKOPENIA, '"4.0"', "4.0", "leukopenia_below.value", "a number in quotes"),
    Fault(LEUKOPENIA, '"4.0"', "4", "leukopenia_below.value", "a number in quotes"),
    Fault(LEUKOPENIA, '"4.0"', '"four"', "leukopenia_below.value", "no number"),
    Fault(LEUKOPENIA, '"4.0"', '"-4"', "leukopenia_below.value", "zero or more"),
    Fault(LEUKOPENIA, '"4.0"', '"NaN"', "leukopenia_below.value", "zero or more"),
    Fault(LEUKOPENIA, '"4.0"', '""', "leukopenia_below.value", "no number"),
    Fault(LEUKOPENIA, 'value = "7"', 'value = "7.5"', "separation.value", "whole number"),
    Fault(LEUKOPENIA, '"10*9/L"', '"K/uL"', "leukopenia_below.unit", "none of"),
    Fault(LEUKOPENIA, '"leukopenia-threshold"', '"no-such"', "leukopenia_below.statement", "'no-such'"),
    Fault(LEUKOPENIA, '"leukopenia-secondary"', '"no-such"', "cites.secondary", "source_document.toml"),
    Fault(LEUKOPENIA, 'symptoms = "leukopenia-symptoms"', "", "cites.symptoms", "missing"),
    Fault(LEUKOPENIA, "site_default = true", "", "separation.statement", "site_default"),
    Fault(LEUKOPENIA, "site_default = true", "site_default = 1", "separation.site_default", "true or false"),
    Fault(LEUKOPENIA, 'statement = "leukopenia-threshold"', "", "leukopenia_below.statement", "site_default"),
    Fault(LEUKOPENIA, '[approval]\nstatus = "draft"', "", "approval", "missing"),
    Fault(LEUKOPENIA, 'status = "draft"', 'status = "fine"', "approval.status", "none of"),
    Fault(LEUKOPENIA, 'status = "draft"', 'status = "approved"', "approval.by", "missing"),
    Fault(LEUKOPENIA, 'status = "draft"', 'status = "approved"\nby = "A. B."', "approval.on", "date"),
    Fault(LEUKOPENIA, 'status = "draft"', 'status = "draft"\nby = "A. B."', "approval.by", "unknown key"),
    Fault("criteria/severity.toml", "[platelet_bands.grade_4]", "[platelet_bands.grade_5]", "grade_4", "missing"),
    Fault("criteria/severity.toml", 'value = "75"', 'value = "5"', "platelet_bands", "lower limit"),
    Fault("criteria/results.toml", '"amended"', '"final"', "accepted_statuses.values", "twice"),
    Fault("criteria/results.toml", "platelets_at_most", "thrombocytes_at_most", "platelets_at_most", "missing"),
    Fault(SPLENIC, "order = 40", "order = 50", "order", "also the order of"),
    Fault(SPLENIC, "order = 40", 'order = "40"', "order", "whole number"),
    Fault(SPLENIC, "order = 40", "order = true", "order", "whole number"),
    Fault(SPLENIC, '"distribution"', '"magic"', "mechanisms", "none of"),
    Fault(SPLENIC, '"cirrhosis-hypersplenism"', '"no-such"', "statement", "'no-such'"),
    Fault(SPLENIC, "always_named", "context_only", "context_only", "names no cause"),
    Fault(SPLENIC, 'name = "', 'colour = "red"\nname = "', "colour", "unknown key"),
    Fault("cause_groups/splenic-counter.toml", '["splenic"]', '["spleen"]', "opposite_of", "'spleen'"),
    Fault("units.toml", 'text = "G/L", factor = "1", ', 'text = "G/L", ', "units.count", "missing for 'G/L'"),
    Fault("units.toml", 'text = "G/L", factor = "1"', 'text = "G/L", factor = "0"', "factor", "zero"),
    Fault("units.toml", 'text = "G/L", factor = "1"', 'text = "G/L", factor = 1', "factor", "in quotes"),
    Fault("units.toml", 'text = "T/L"', 'text = "T/L", factor = "1000"', "factor", "unknown key"),
    Fault("units.toml", 'text = "T/L"', 'text = "G/L"', "units.not_a_count", "two meanings"),
    Fault("units.toml", 'ambiguous = ["mil/uL"]', 'ambiguous = ["K/uL"]', "rules.ambiguous", "also has a meaning"),
    Fault("units.toml", 'text = "T/L"', 'txt = "T/L"', "text", "missing"),
    Fault("systems.toml", 'notation = "atc"', 'notation = "abc"', "atc.notation", "none of"),
    Fault("systems.toml", "http://www.whocc.no/atc", "http://snomed.info/sct", "uris", "also stands under"),
    Fault("screening.toml", "[clump_stems]", "[clump_stem]", "clump_stems", "missing"),
    Fault("screening.toml", "[clump_stems]\n", "[clump_stems]\n[ignored]\n", "clump_stems", "no word"),
    Fault(
        "systems.toml",
        'uris = ["http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"]',
        "uris = []",
        "uris",
        "at least one",
    ),
    Fault("criteria/results.toml", 'unit = "10*9/L"', 'unit = "K/uL"', "plausible.unit", "expected 10*9/L"),
    Fault("units.toml", "exact_case_only = [", "exact_case = [", "rules.exact_case_only", "missing"),
    Fault("units.toml", "count = [", "count = [ 7,", "units.count[0]", "expected a table"),
    Fault(
        "units.toml",
        'text = "a.u.", source =',
        'text = "a.u.", note =',
        "source",
        "missing for",
    ),
    Fault(
        CAUSES,
        '"url": "https://cytopenia-cds.org/fhir/ValueSet/causes-splenic"',
        '"url": "https://x.org"',
        "url",
        "expected",
    ),
    Fault(CAUSES, '"valueCode": "distribution"', '"valueCode": "magic"', "extension.mechanism", "none of"),
    Fault(CAUSES, "StructureDefinition/course", "StructureDefinition/use", "extension.use", "twice"),
    Fault("screening.toml", '"csf", ', '"csf", "csf", ', "not_blood.en", "twice"),
    Fault("screening.toml", '"csf", ', '"csf", 7, ', "not_blood.en", "texts only"),
    Fault("orders.toml", "[liver-panel]", "[kidney-panel]", "liver-panel", "missing"),
    Fault("orders.toml", 'source = "VERIFIED', 'source = "heard', "cbc-with-differential.source", "unverified"),
    Fault("edition.toml", "edition =", "version =", "edition", "missing"),
    Fault("source_document.toml", "locator", "place", "locator", "missing"),
    Fault("source_document.toml", "locator", "colour = 'red'\nlocator", "colour", "unknown key"),
    Fault(CAUSES, '"resourceType": "ValueSet"', '"resourceType": "CodeSystem"', "resourceType", "ValueSet"),
    Fault(CAUSES, '"id": "causes-splenic"', '"id": "causes-spleen"', "id", "file's name"),
    Fault(CAUSES, '"status": "draft",', "", "status", "missing"),
    Fault(CAUSES, '"status": "draft"', '"status": "retired"', "status", "none of"),
    Fault(CAUSES, '"status": "draft"', '"status": "active"', "extension.approved-by", "missing"),
    Fault(CAUSES, '"status": "draft"', '"status": "draft", "status": "draft"', "status", "twice"),
    Fault(CAUSES, '"status": "draft"', '"status": "draft", "colour": "red"', "colour", "unknown key"),
    Fault(CAUSES, '"valueCode": "splenic"', '"valueCode": "spleen"', "extension.cause-group", "cause_groups"),
    Fault(CAUSES, '"code": "K74.4"', '"code": "K74.3"', "code K74.3", "twice"),
    Fault(CAUSES, '"code": "K74.4"', '"code": "74.4"', "code 74.4", "icd-10-cm"),
    Fault(CAUSES, '"valueCode": "evidence"', '"valueCode": "proof"', "extension.use", "none of"),
    Fault(CAUSES, '"valueCode": "prefix"', '"valueCode": "fuzzy"', "extension.match", "none of"),
    Fault(CAUSES, "/note", "/remark", "extension.remark", "unknown key"),
    Fault(CAUSES, "cytopenia-cds.org/fhir/StructureDefinition/affects", "x.org/affects", "url", "begin with"),
    Fault(CAUSES, '"system": "http://snomed.info/sct"', '"system": "http://x.org"', "system", "systems.toml"),
    Fault(CAUSES, "VERIFIED ", "", "extension.source", "unverified"),
    Fault(COUNTS, '"valueCode": "leukocytes"', '"valueCode": "leucocytes"', "extension.analyte", "none of"),
    Fault(COUNTS, '"valueCode": "count"', '"valueCode": "panel"', "extension.analyte", "unknown key"),
    Fault(COUNTS, '"code": "6690-2"', '"code": "47281-1"', "code 47281-1", "one use"),
    Fault(COUNTS, '"code": "6690-2"', '"code": "777-3"', "code 777-3", "one use"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file}: {fault.key}: {fault.new[:30]!r}")
def test_a_fault_is_named_with_file_and_key(copy: Path, fault: Fault) -> None:
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    assert fault.old in text, "the fault must change something"
    path.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    message = refused(copy)
    assert fault.file in message or message.startswith("criteria: ")
    assert fault.key in message
    assert fault.says in message
    assert str(copy) not in message


def refused(directory: Path) -> str:
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(directory)
    return str(error.value)


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ('said = "x"', "words.approval", "missing"),
        ('approval = "fine"\nsaid = "x"', "words.approval", "who approved it"),
        ('approval = { status = "approved", by = "A. B." }', "words.approval.on", "missing"),
        ('approval = "draft"\nstatement = "no-such"\nsaid = "x"', "words.statement", "no-such"),
        (
            'approval = "draft"\nstatement = ["leukopenia-definition", "no-such"]\nsaid = "x"',
            "words.statement",
            "no-such",
        ),
        ('approval = "draft"\nsaid = " "', "words.said", "empty"),
        ('approval = "draft"\nsaid = 7', "words.said", "a text in quotes"),
        ('approval = "draft"\n[words.inner]\nsaid = "x"', "words.inner.approval", "missing"),
    ],
)
def test_a_fault_of_the_wording_is_named(copy: Path, table: str, key: str, says: str) -> None:
    (copy / "cards/wording.toml").write_text(f"[words]\n{table}\n", encoding="utf-8")
    message = refused(copy)
    assert message.startswith(f"cards/wording.toml: {key}: ")
    assert says in message


def change_json(path: Path, change: Callable[[Any], None]) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def test_a_code_without_source_is_unverified(copy: Path) -> None:
    change_json(copy / CAUSES, lambda value: value["compose"]["include"][0]["concept"][0].pop("extension"))
    message = refused(copy)
    assert message.startswith(f"{CAUSES}: compose.include[0].concept[0].extension.source: ")
    assert "unverified" in message


@pytest.mark.parametrize(
    ("counter", "group", "code"),
    [
        ("splenic-counter", "splenic", "Z90.81"),
        ("counter", "drug", "L03AA"),
        ("counter", "physical-chemical", "N05AN01"),
    ],
)
def test_a_code_cannot_be_evidence_and_its_opposite(copy: Path, counter: str, group: str, code: str) -> None:
    theirs = json.loads((copy / f"value_sets/causes-{counter}.json").read_text(encoding="utf-8"))
    include = next(i for i in theirs["compose"]["include"] if any(c["code"] == code for c in i["concept"]))
    change_json(copy / f"value_sets/causes-{group}.json", lambda value: value["compose"]["include"].append(include))
    message = refused(copy)
    assert message.startswith(f"value_sets/causes-{counter}.json: code {code}: ")
    assert f"'{group}'" in message


def test_a_broader_row_makes_a_code_evidence_for_its_opposite_too(copy: Path) -> None:
    def widen(value: Any) -> None:
        include = value["compose"]["include"][0]
        include["extension"][0]["valueCode"] = "prefix"
        include["concept"][0]["code"] = "D73"

    change_json(copy / CAUSES, widen)
    assert refused(copy).startswith("value_sets/causes-splenic-counter.json: code D73.0: ")


@pytest.mark.parametrize(
    "file",
    [
        "edition.toml",
        "units.toml",
        "screening.toml",
        "orders.toml",
        "systems.toml",
        "source_document.toml",
        "cards/wording.toml",
    ],
)
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    assert refused(copy) == f"{file}: this file is missing from the knowledge directory"


@pytest.mark.parametrize("folder", ["criteria", "cause_groups", "value_sets"])
def test_an_empty_folder_is_named(copy: Path, folder: str) -> None:
    shutil.rmtree(copy / folder)
    assert refused(copy).startswith(f"{folder}: ")


def test_a_group_without_codes_is_named(copy: Path) -> None:
    (copy / "value_sets/causes-genetic.json").unlink()
    assert refused(copy).startswith("cause_groups/genetic.toml: no value set")


def test_a_missing_criterion_is_named(copy: Path) -> None:
    (copy / "criteria/thrombocytopenia.toml").unlink()
    assert refused(copy).startswith("criteria: thrombocytopenia_below: missing")


def test_a_missing_directory_is_told_without_its_path(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == "knowledge directory: there is no such directory"


def test_a_file_that_is_not_utf_8_is_named(copy: Path) -> None:
    (copy / "screening.toml").write_bytes(b"\xff\xfe")
    assert "screening.toml" in refused(copy)


def test_a_file_that_is_no_json_is_named_with_its_line(copy: Path) -> None:
    (copy / COUNTS).write_text("{\n]", encoding="utf-8")
    assert refused(copy).startswith(f"{COUNTS}: line 2: ")
    (copy / COUNTS).write_text("[]", encoding="utf-8")
    assert refused(copy) == f"{COUNTS}: expected one JSON object"
