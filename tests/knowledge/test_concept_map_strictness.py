"""One fault at a time in a concept map: the error names file and element, and says what is wrong; nothing crashes."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.knowledge.concept_map_files import LISTS, OBJECTS, read_concept_map
from cds_service.knowledge.concept_maps import with_concept_maps
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.strict_files import KnowledgeError
from tests.builders.concept_maps import (
    EVERY_ELEMENT,
    EXAMPLE,
    ICD_10_CM,
    LAB,
    LOINC,
    PROBLEMS,
    SCT,
    Json,
    concept_map,
    group,
    target,
    written,
)
from tests.builders.knowledge import shipped_knowledge

ELEMENT = "group[0].element[0]"
TARGET = f"{ELEMENT}.target[0]"


def part(made: Json, name: str) -> Json:
    """The map itself, its group, element or target."""
    found: Json = made
    for step in ("group", "element", "target")[: ("map", "group", "element", "target").index(name)]:
        found = found[step][0]
    return found


def having(**members: Any) -> Json:
    return concept_map(**members)


def with_members(name: str, members: Json) -> Json:
    made = concept_map()
    part(made, name).update(members)
    return made


def in_group(**members: Any) -> Json:
    return with_members("group", members)


def in_element(**members: Any) -> Json:
    return with_members("element", members)


def in_target(**members: Any) -> Json:
    return with_members("target", members)


def lacking(name: str, member: str) -> Json:
    made = concept_map()
    del part(made, name)[member]
    return made


FAULTS: list[tuple[Any, str, str]] = [
    (having(resourceType="ValueSet"), "resourceType", "expected ConceptMap"),
    (lacking("map", "resourceType"), "resourceType", "missing"),
    (lacking("map", "name"), "name", "missing"),
    (having(name="Our own <b>map</b>"), "name", "isn't written"),
    (having(name="N" * 65), "name", "isn't written"),
    (having(name=7), "name", "a text"),
    (lacking("map", "version"), "version", "missing"),
    (having(version="1 beta"), "version", "isn't written"),
    (having(id="no id!"), "id", "isn't written"),
    (lacking("map", "status"), "status", "missing"),
    (having(status="ready"), "status", "none of"),
    (having(status="retired"), "status", "retired"),
    (having(experimental="yes"), "experimental", "true or false"),
    (having(colour="red"), "colour", "unknown key"),
    (having(Status="active"), "Status", "unknown key"),
    (having(date="yesterday"), "date", "isn't written"),
    (having(url="our map"), "url", "isn't written"),
    (having(title=""), "title", "empty"),
    (having(contact={"name": "x"}), "contact", "a list of tables"),
    (having(meta=[]), "meta", "a table"),
    (having(identifier=[{"value": "1"}]), "identifier", "a table"),
    (having(implicitRules="http://x.example.org"), "implicitRules", "remove it"),
    (having(modifierExtension=[]), "modifierExtension", "remove it"),
    (having(sourceUri="http://a.example.org", sourceCanonical="http://b.example.org"), "sourceCanonical", "keep one"),
    (lacking("map", "group"), "group", "missing"),
    (having(group=[]), "group", "maps nothing"),
    (having(group={}), "group", "a list of tables"),
    (having(group=[7]), "group[0]", "a table"),
    (lacking("group", "source"), "group[0].source", "missing"),
    (lacking("group", "target"), "group[0].target", "missing"),
    (in_group(source="our lab"), "group[0].source", "absolute URI"),
    (in_group(source="*"), "group[0].source", "absolute URI"),
    (in_group(source=f"{LAB}|7"), "group[0].source", "absolute URI"),
    (in_group(target="http://unknown.example.org"), TARGET, "no system of ours"),
    (in_group(unmapped={"mode": "fixed", "code": "6690-2"}), "group[0].unmapped", "no wildcard"),
    (in_group(unmapped={"mode": "provided"}), "group[0].unmapped", "no wildcard"),
    (in_group(unmapped={"mode": "other-map", "url": "http://x.example.org"}), "group[0].unmapped", "no wildcard"),
    (in_group(colour="red"), "group[0].colour", "unknown key"),
    (in_group(element=[]), "group[0].element", "maps nothing"),
    (lacking("group", "element"), "group[0].element", "missing"),
    (lacking("element", "code"), f"{ELEMENT}.code", "missing"),
    (in_element(code=" WBC"), f"{ELEMENT}.code", "FHIR code"),
    (in_element(code="W\u200bBC"), f"{ELEMENT}.code", "FHIR code"),
    (in_element(code="W\nBC"), f"{ELEMENT}.code", "FHIR code"),
    (in_element(code=6690), f"{ELEMENT}.code", "a text"),
    (in_element(target=[]), f"{ELEMENT}.target", "no target"),
    (lacking("element", "target"), f"{ELEMENT}.target", "missing"),
    (in_element(colour="red"), f"{ELEMENT}.colour", "unknown key"),
    (in_element(modifierExtension=[{}]), f"{ELEMENT}.modifierExtension", "remove it"),
    (lacking("target", "equivalence"), f"{TARGET}.equivalence", "missing"),
    (in_target(equivalence="same"), f"{TARGET}.equivalence", "none of"),
    (in_target(equivalence="Equal"), f"{TARGET}.equivalence", "none of"),
    (in_target(relationship="equivalent"), f"{TARGET}.relationship", "unknown key"),
    (lacking("target", "code"), f"{TARGET}.code", "missing"),
    (in_target(code="6690-20"), TARGET, "in no value set"),
    (in_target(code="*"), TARGET, "in no value set"),
    (in_target(equivalence="unmatched"), f"{TARGET}.code", "unknown key"),
    (in_target(dependsOn=[{"property": "x", "value": "y"}]), f"{TARGET}.dependsOn", "only sometimes"),
    (in_target(product=[{"property": "x", "value": "y"}]), f"{TARGET}.product", "remove it"),
    (in_element(target=[target("6690-2"), target("6690-2", "wider")]), f"{ELEMENT}.target[1].code", "twice"),
    (concept_map(group(PROBLEMS, ICD_10_CM, HX="I10")), TARGET, "in no value set"),
    (concept_map(group(PROBLEMS, ICD_10_CM, HX="cirrhosis")), TARGET, "in no value set"),
    # One test has one meaning.
    (concept_map(group(LAB, LOINC, X=[target("6690-2"), target("777-3")])), f"{ELEMENT}.target[1]", "it is count of"),
    (concept_map(group(LAB, LOINC, X=[target("6690-2"), target("26465-5")])), f"{ELEMENT}.target[1]", "never a count"),
    (concept_map(group(LAB, LOINC, X=[target("26465-5"), target("6690-2")])), f"{ELEMENT}.target[1]", "never a count"),
    (concept_map(group(LAB, LOINC, X=[target("6690-2"), target("49498-9")])), f"{ELEMENT}.target[1]", "low-confidence"),
    (concept_map(group(LAB, LOINC, X="6690-2"), group(LAB, SCT, X="1022651000000100")), "group[1]", "platelets"),
    (concept_map(group(LAB, LOINC, X="6690-2"), group(LAB, LOINC, X="804-5")), "group[1].element[0]", "keep one"),
    (concept_map(group(LAB, LOINC, X="6690-2"), group(LAB, ICD_10_CM, X="K74.60")), "group[1]", "a test already"),
    (concept_map(group(LAB, ICD_10_CM, X="K74.60"), group(LAB, LOINC, X="6690-2")), "group[1]", "a cause already"),
    (
        in_group(element=[{"code": "WBC", "target": [target(code)]} for code in ("6690-2", "777-3")]),
        "group[0].element[1].target[0]",
        f"in site.json: {ELEMENT}; keep one",
    ),
    # A standard code keeps its standard meaning.
    (concept_map(group(LOINC, LOINC, **{"26465-5": "6690-2"})), TARGET, "it is never a count already"),
    (concept_map(group(LOINC, LOINC, **{"777-3": "6690-2"})), TARGET, "it is count of platelets already"),
    (concept_map(group(LOINC, LOINC, **{"6690-2": "26465-5"})), TARGET, "it is count of leukocytes already"),
    (concept_map(group(LOINC, ICD_10_CM, **{"6690-2": "K74.60"})), TARGET, "a test already"),
    (concept_map(group(ICD_10_CM, LOINC, **{"K74.60": "6690-2"})), TARGET, "a cause already"),
    (concept_map(group(ICD_10_CM, ICD_10_CM, **{"K74.60": "D61.9"})), TARGET, "it is splenic (evidence) already"),
    # A cause is not its opposite.
    (
        concept_map(group(PROBLEMS, ICD_10_CM, HX=[target("R16.1"), target("Z90.81")])),
        f"{ELEMENT}.target[1]",
        "mean the opposite",
    ),
    # Not JSON, or not only once.
    ("{", "line 1", "can't be read as JSON"),
    ("[]", "", "one JSON object"),
    ("", "line 1", "can't be read as JSON"),
    ("\ufeff{}", "line 1", "BOM"),
    ('{"status": "active", "status": "draft"}', "status", "twice"),
    ('{"a": ' + "9" * 5000 + "}", "", "too long"),
    ('{"a": ' + "[" * 200_000, "", "too deep"),
    ('{"resourceType": "ConceptMap", "name": ' + "[" * 500 + "]" * 500 + "}", "name", "a text"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "key", "says"), FAULTS, ids=[f"{number} {key}: {says}" for number, (_, key, says) in enumerate(FAULTS)]
)
def test_a_fault_is_named_with_file_and_element(tmp_path: Path, content: Any, key: str, says: str) -> None:
    message = refused(written(tmp_path, content))
    assert message.startswith(f"site.json: {key}")
    assert says in message
    assert str(tmp_path) not in message
    assert len(message) < 300, "an error repeats no more than helps"


def refused(*paths: Path) -> str:
    with pytest.raises(KnowledgeError) as error:
        load_knowledge(None, paths)
    return str(error.value)


def test_the_map_that_the_faults_are_made_of_is_sound(tmp_path: Path) -> None:
    assert load_knowledge(None, [written(tmp_path, concept_map())]).concept_maps


def test_two_maps_must_agree(tmp_path: Path) -> None:
    first = written(tmp_path, concept_map(), "first.json")
    assert refused(first, first).startswith("first.json: two concept maps have this file name")
    again = written(tmp_path, concept_map(), "again.json")
    assert refused(first, again) == "again.json: name: 'SyntheticSite' is also the name of first.json"
    other = written(tmp_path, concept_map(group(LAB, LOINC, WBC="777-3"), name="Other"), "other.json")
    assert refused(first, other).startswith(
        f"other.json: {TARGET}: code WBC is mapped to this system already, in first.json"
    )
    snomed = written(tmp_path, concept_map(group(LAB, SCT, WBC="1022651000000100"), name="Third"), "third.json")
    assert refused(first, snomed).startswith(f"third.json: {TARGET}: makes code WBC count of platelets")


def test_a_missing_file_and_one_that_is_not_utf_8_are_named_without_their_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.json") == "none.json: there is no such file"
    (tmp_path / "site.json").write_bytes(b"\xff\xfe")
    assert refused(tmp_path / "site.json").startswith("site.json: ")


EXAMPLE_MAP = json.loads(EXAMPLE.read_text(encoding="utf-8"))
NOT_LOOKED_INTO = {*OBJECTS, *LISTS}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["6690-2", "777-3", "K74.60", LOINC, LAB, "equal", "wider", "ConceptMap", "active"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> Any:
    """A map with up to three places of it removed, doubled, renamed or replaced by anything."""
    made: Any = json.loads(json.dumps(draw(st.sampled_from([EVERY_ELEMENT, EXAMPLE_MAP]))))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(_places(made))))
        what = draw(st.sampled_from(["remove", "replace", "double", "rename"]))
        if what == "replace":
            holder[key] = draw(ODD)
        elif what == "double" and isinstance(holder, list):
            holder.append(holder[key])
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(st.text(max_size=6))] = holder.pop(key)
        elif len(holder) > 1:
            del holder[key]
    return made


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def looked_into(value: Any) -> Any:
    """A map without the elements that are left to others."""
    if isinstance(value, dict):
        return {name: looked_into(part) for name, part in value.items() if name not in NOT_LOOKED_INTO}
    return [looked_into(part) for part in value] if isinstance(value, list) else value


def problem_of(path: Path) -> str | None:
    """Why a file isn't accepted; nothing but a KnowledgeError may be the way to say so."""
    try:
        with_concept_maps(shipped_knowledge(), (read_concept_map(path),), {})
    except KnowledgeError as error:
        return str(error)
    return None


@given(mangled())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mangled_map_crashes_and_what_is_accepted_is_valid_r4(tmp_path: Path, content: Any) -> None:
    problem = problem_of(written(tmp_path, content))
    if problem is None:
        ConceptMap.model_validate(looked_into(content))
    else:
        assert problem.startswith("site.json: ")


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_crash_the_loader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.json"
    path.write_bytes(content)
    assert str(problem_of(path)).startswith("site.json: ")
