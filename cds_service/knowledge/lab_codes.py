"""Laboratory test codes: which test is a count of what, which is context, which is never a count.

Room: knowledge. Refuses to know FHIR Observations.
"""

from collections.abc import Iterable, Mapping

from cds_service.hematology.lab_results import Analyte, CompanionKind
from cds_service.knowledge.model import LabCode, LabUse
from cds_service.knowledge.strict_files import KnowledgeError, Table
from cds_service.knowledge.value_sets import ValueSet

COUNTS = (LabUse.COUNT, LabUse.LOW_CONFIDENCE_COUNT)


def lab_codes(value_sets: Iterable[ValueSet]) -> Mapping[tuple[str, str], LabCode]:
    """Test codes by (system, code). Raises KnowledgeError when a code stands in two sets."""
    found: dict[tuple[str, str], LabCode] = {}
    files: dict[tuple[str, str], str] = {}
    for value_set in value_sets:
        for include in value_set.includes if value_set.cause_group is None else ():
            use, analyte, companion, corrected = _meaning(include.meaning)
            for concept in include.concepts:
                key = (concept.system, concept.code)
                if key in found:
                    problem = f"is '{use}' here and '{found[key].use}' in {files[key]}; a test has one use"
                    raise KnowledgeError(value_set.file, f"code {concept.code}", problem)
                files[key] = value_set.file
                found[key] = LabCode(concept.system, concept.code, concept.display, use, analyte, companion, corrected)
    return found


def _meaning(meaning: Table) -> tuple[LabUse, Analyte | None, CompanionKind | None, bool]:
    use = meaning.choice("lab-use", LabUse)
    analyte = meaning.choice("analyte", Analyte) if use in COUNTS else None
    companion = meaning.choice("companion", CompanionKind) if use is LabUse.COMPANION else None
    corrected = meaning.flag("nrbc-corrected") if use in COUNTS else False
    meaning.ignore("note")
    meaning.finish()
    return use, analyte, companion, corrected
