"""`check-knowledge` and the generated pages, as an integrator runs them."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.knowledge import statements_page
from cds_service.knowledge.commands import check_knowledge_command
from cds_service.knowledge.loader import SHIPPED, load_knowledge
from tests.builders.concept_maps import EXAMPLE, LAB, LOINC, concept_map, group, target, written
from tests.builders.knowledge import shipped_knowledge


def test_sound_knowledge_is_told_in_a_table_with_its_drafts() -> None:
    result = CliRunner().invoke(check_knowledge_command, [])
    assert result.exit_code == 0
    assert f"Knowledge {shipped_knowledge().version}, sound." in result.output
    assert "value_sets (28)" in result.output


def test_required_approval_fails_while_there_is_a_draft() -> None:
    result = CliRunner().invoke(check_knowledge_command, ["--require-approval"])
    assert result.exit_code == 1
    assert "criteria/leukopenia.toml" in result.stderr


def test_approved_knowledge_passes_where_approval_is_required(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    approved = {
        'status = "draft"': 'status = "approved"\nby = "A. B."\non = 2026-11-24',
        'approval = "draft"': 'approval = { status = "approved", by = "A. B.", on = 2026-11-24 }',
    }
    url = "https://cytopenia-cds.org/fhir/StructureDefinition/approved"
    by = f'{{"url": "{url}-by", "valueString": "A. B."}}, {{"url": "{url}-on", "valueDate": "2026-11-24"}}'
    for path in copy.rglob("*.*"):
        if path.suffix not in {".toml", ".json"}:
            continue
        text = path.read_text(encoding="utf-8")
        for old, new in approved.items():
            text = text.replace(old, new)
        if path.suffix == ".json" and '"cause-group' not in text and '/cause-group"' not in text:
            text = text.replace('"status": "draft"', f'"extension": [{by}], "status": "active"')
        elif path.suffix == ".json":
            text = text.replace('"extension": [', f'"extension": [{by}, ', 1).replace('"draft"', '"active"')
        path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(check_knowledge_command, ["--require-approval", "--knowledge-dir", str(copy)])
    assert result.exit_code == 0, result.output
    assert "Everything is clinically approved." in result.output


def test_an_error_is_one_line_that_names_file_and_key(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    (copy / "edition.toml").write_text("edition = 1\n", encoding="utf-8")
    result = CliRunner().invoke(check_knowledge_command, ["--knowledge-dir", str(copy)])
    assert result.exit_code == 1
    assert result.stderr == "Error: edition.toml: edition: expected a text in quotes, found 1\n"


def test_a_stale_page_fails_the_check_and_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").mkdir()
    monkeypatch.setattr(statements_page, "PROJECT", tmp_path)
    runner = CliRunner()
    assert runner.invoke(statements_page.main, ["--check"]).exit_code == 1
    assert runner.invoke(statements_page.main, []).exit_code == 0
    assert runner.invoke(statements_page.main, ["--check"]).exit_code == 0
    sentences = '- say: "A count of 3.9 is low"\n  statement: [leukopenia-threshold]\n'
    (tmp_path / "tests/new.yaml").write_text(sentences, encoding="utf-8")
    marked = '@pytest.mark.statement("leukopenia-primary")\ndef test_no_cause_recorded() -> None: ...\n'
    (tmp_path / "tests/test_new.py").write_text(marked, encoding="utf-8")
    assert "stale" in runner.invoke(statements_page.main, ["--check"]).stderr
    assert runner.invoke(statements_page.main, []).exit_code == 0
    page = (tmp_path / "docs/knowledge/statements.md").read_text(encoding="utf-8")
    assert "- A count of 3.9 is low (`tests/new.yaml`)" in page
    assert "- no cause recorded (`tests/test_new.py`)" in page


def _checked(*paths: Path) -> Result:
    options = [option for path in paths for option in ("--concept-map", str(path))]
    return CliRunner().invoke(check_knowledge_command, options)


def test_a_concept_map_is_explained_row_by_row() -> None:
    result = _checked(EXAMPLE)
    assert result.exit_code == 0, result.output
    told = [" ".join(line.split()) for line in result.output.splitlines()]
    for line in (
        "Concept map ExampleHospital 2026.1 (example-hospital.json): 16 rows, 13 used, 3 not used.",
        f"{LAB} -> {LOINC}",
        "H-LEU (Leukozyten) 6690-2 count of leukocytes",
        "H-HB (Hämoglobin) 718-7 shown beside the counts: hemoglobin",
        "H-LEUL (Leukozyten im Liquor) 26465-5 never a count",
        "H-POCT-LEU (Leukozyten Schnelltest) 26464-8 NOT USED: inexact: only equal or equivalent makes a test ours",
        "HX-3301 (Leberzirrhose) K74.60 splenic (evidence)",
        "HX-3390 (Leberkrankheit) K74.60 NOT USED: narrower: the target would claim more than the code says",
        "F-20117 (Azathioprin 50 mg Tabletten) L04AX01 drug (evidence)",
    ):
        assert line in told, result.output
    assert f"Knowledge {load_knowledge(None, [EXAMPLE]).version}, sound." in result.output


def test_every_refused_row_is_shown_and_the_first_is_the_error(tmp_path: Path) -> None:
    rows = group(LAB, LOINC, A=[target("6690-2"), target("777-3")], B="6690-20", C="777-3")
    result = _checked(written(tmp_path, concept_map(rows)))
    assert result.exit_code == 1
    assert "4 rows, 2 used, 2 refused." in result.output
    assert result.output.count("REFUSED: ") == 2
    assert "[group[0].element[1].target[0]]" in result.output
    assert result.stderr.startswith("Error: site.json: group[0].element[0].target[1]: makes code A count of platelets")
    assert "sound" not in result.output


def test_a_concept_map_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    result = _checked(EXAMPLE, written(tmp_path, "{"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith("Error: site.json: line 1: ")
    assert _checked(tmp_path / "none.json").exit_code == 2


def test_a_map_is_explained_against_the_sites_own_knowledge(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    counts = copy / "value_sets/leukocyte-counts.json"
    counts.write_text(counts.read_text(encoding="utf-8").replace('"804-5"', '"99999-9"'), encoding="utf-8")
    path = written(tmp_path, concept_map(group(LAB, LOINC, X="804-5")))
    options = ["--concept-map", str(path)]
    assert CliRunner().invoke(check_knowledge_command, options).exit_code == 0
    assert CliRunner().invoke(check_knowledge_command, [*options, "--knowledge-dir", str(copy)]).exit_code == 1
