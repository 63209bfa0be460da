"""A site's concept maps to vary: a sound one, and single rows in files of their own. Synthetic throughout."""

import json
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "deploy" / "concept-maps" / "example-hospital.json"
LAB = "http://hospital.example.org/laboratory-tests"
PROBLEMS = "http://hospital.example.org/problem-codes"
FORMULARY = "http://hospital.example.org/formulary"
LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ATC = "http://www.whocc.no/atc"

Json = dict[str, Any]


def target(code: str | None, equivalence: str = "equivalent", **members: Any) -> Json:
    """One target; None: without code."""
    return ({} if code is None else {"code": code}) | {"equivalence": equivalence} | members


def group(source: str, system: str, **targets: Any) -> Json:
    """A group whose elements are named by keyword: a code of ours, or a list of targets."""
    elements = [
        {"code": code, "target": [target(found)] if isinstance(found, str) else found}
        for code, found in targets.items()
    ]
    return {"source": source, "target": system, "element": elements}


def concept_map(*groups: Json, **members: Any) -> Json:
    """A sound R4 ConceptMap of these groups, by default one that maps WBC to leukocytes in blood."""
    return {
        "resourceType": "ConceptMap",
        "name": "SyntheticSite",
        "version": "1",
        "status": "active",
        "group": list(groups) or [group(LAB, LOINC, WBC="6690-2")],
        **members,
    }


EVERY_ELEMENT = concept_map(
    {
        "id": "g1",
        "extension": [{"url": "http://hospital.example.org/x", "valueBoolean": True}],
        "source": LAB,
        "sourceVersion": "7",
        "target": LOINC,
        "targetVersion": "2.78",
        "element": [
            {
                "id": "e1",
                "code": "a b,c|d$e",
                "display": "Weiß",
                "target": [{"id": "t1", "code": "6690-2", "display": "x", "equivalence": "equal", "comment": "y"}],
            }
        ],
    },
    id="everything",
    meta={"versionId": "3"},
    language="de",
    text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    url="http://hospital.example.org/fhir/ConceptMap/everything",
    identifier={"value": "1"},
    title="Everything",
    experimental=False,
    date="2026-01-02",
    publisher="Example Hospital",
    contact=[{"name": "Example Informatician"}],
    description="x",
    jurisdiction=[{"text": "x"}],
    useContext=[{"code": {"code": "x"}, "valueCodeableConcept": {"text": "x"}}],
    purpose="x",
    copyright="x",
    sourceUri="http://hospital.example.org/fhir/ValueSet/tests",
    targetCanonical="http://hospital.example.org/fhir/ValueSet/standard",
)
"""A sound map with each element that may stand in one."""


def written(folder: Path, content: object, name: str = "site.json") -> Path:
    """The file with this content: JSON of a value, or a text as it is."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
