"""The sentences of `tests/spec/hematology_*.yaml`, each judged by the shipped guideline."""

import tomllib
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.hematology.assessment import assess
from cds_service.hematology.verdicts import Finding, Situation, Verdict
from tests.builders.hematology import AS_OF, guideline, picture
from tests.builders.hematology_answers import told

ROOT = Path(__file__).parents[2]


class _NothingTwice(yaml.SafeLoader):
    """YAML keeps the last of two equal keys; a sentence that says something twice is an error here."""


def _mapping(loader: _NothingTwice, node: yaml.MappingNode) -> dict[Hashable, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"said twice: {keys} {node.start_mark}"
    return loader.construct_mapping(node, deep=True)


_NothingTwice.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
SENTENCES: list[dict[str, Any]] = [
    sentence
    for file in sorted((ROOT / "tests/spec").glob("hematology_*.yaml"))
    for sentence in yaml.load(file.read_text(encoding="utf-8"), _NothingTwice)
]
NOT_PICTURE = {"say", "statement", "row", "expect", "site"}
SINGLE = set(Verdict) - {Verdict.UNRELIABLE}
ROWS = (
    {f"leukopenia: {verdict}" for verdict in SINGLE}
    | {f"thrombocytopenia: {verdict}" for verdict in set(Verdict) - {Verdict.UNCONFIRMED}}
    | {f"bicytopenia: {verdict}" for verdict in SINGLE - {Verdict.UNCONFIRMED}}
    | {f"situation: {situation}" for situation in Situation}
    | {"situation: none"}
)
"""Every row of the tables of findings and of indicators."""


def _rows(sentence: dict[str, Any]) -> list[str]:
    named = sentence.get("row", [])
    return [named] if isinstance(named, str) else named


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["say"])
def test_a_sentence_holds(sentence: dict[str, Any]) -> None:
    chart = picture(**{key: value for key, value in sentence.items() if key not in NOT_PICTURE})
    judged_by = replace(guideline(), **sentence.get("site", {}))
    answer = told(assess(chart, judged_by, AS_OF))
    assert {key: answer[key] for key in sentence["expect"]} == sentence["expect"]


def test_every_row_of_the_tables_has_a_sentence_that_expects_it() -> None:
    shown = set()
    for sentence in SENTENCES:
        for row in _rows(sentence):
            key, _, value = row.partition(": ")
            assert sentence["expect"].get(key) == value, f"{sentence['say']} names a row it doesn't expect: {row}"
            shown.add(row)
    assert shown == ROWS


def test_no_two_sentences_say_the_same() -> None:
    said = [sentence["say"] for sentence in SENTENCES]
    assert len(said) == len(set(said))


def test_the_statements_the_sentences_cite_are_those_of_the_source_document() -> None:
    document = tomllib.loads((ROOT / "cds_service/knowledge/data/source_document.toml").read_text(encoding="utf-8"))
    cited = {statement for sentence in SENTENCES for statement in sentence.get("statement", [])}
    assert cited <= document.keys()
    assert {"leukopenia-definition", "leukopenia-threshold", "both-low-hematopoietic-problem"} <= cited


def test_the_findings_cite_the_statements_of_the_guideline() -> None:
    assessment = assess(picture(), guideline(), AS_OF)
    cited = {one.finding: one.statement for one in assessment.findings}
    assert cited == {finding: guideline().statements[finding] for finding in Finding}
