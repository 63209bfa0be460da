"""Which FHIR data the service asks for, as prefetch templates every CDS Hooks client can fill.

Made from the value sets and the site's concept maps, so that a code added there is asked for at once. Only what every
client version supports: root tokens of the context, equality, `_sort`, `_count`; no `today()`, no clinical-status (the
reader judges).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from cds_service.hematology.lab_results import Analyte
from cds_service.knowledge.model import Knowledge, LabCode, LabUse

PATIENT: Final = "patient"
COUNTS: Final = "counts"
COMPANIONS: Final = "companions"
CONDITIONS: Final = "conditions"
MEDICATIONS: Final = "medications"

REQUIRED: Final = frozenset({COUNTS})
"""Without these there is no answer; the rest is optional and named when it can't be had."""

_PATIENT: Final = "{{context.patientId}}"
_COUNTED: Final = (Analyte.LEUKOCYTES, Analyte.PLATELETS)
_COUNT_USES: Final = (LabUse.COUNT, LabUse.LOW_CONFIDENCE_COUNT)


def prefetch_templates(knowledge: Knowledge) -> Mapping[str, str]:
    """The prefetch templates by key (CDS Hooks 3.0, Prefetch Template)."""
    codes = knowledge.lab_codes.values()
    counts = [code for code in codes if _is_asked_as_count(code)]
    companions = [code for code in codes if _is_companion(code)]
    return {
        PATIENT: f"Patient/{_PATIENT}",
        COUNTS: _observations(counts, count=500),
        COMPANIONS: _observations(companions, count=200),
        CONDITIONS: f"Condition?patient={_PATIENT}&_count=500",
        MEDICATIONS: f"MedicationRequest?patient={_PATIENT}&_sort=-authoredon&_count=200",
    }


def _is_asked_as_count(code: LabCode) -> bool:
    # Panels that carry their counts as components are found in no other way than by the panel's own code.
    return code.use is LabUse.PANEL or (code.use in _COUNT_USES and code.analyte in _COUNTED)


def _is_companion(code: LabCode) -> bool:
    return code.use in (LabUse.COMPANION, LabUse.CLUMPING) or code.analyte is Analyte.NEUTROPHILS


def _observations(codes: Iterable[LabCode], count: int) -> str:
    asked = ",".join(f"{_escaped(code.system)}|{_escaped(code.code)}" for code in codes)
    return f"Observation?patient={_PATIENT}&code={asked}&_sort=-date&_count={count}"


def _escaped(text: str) -> str:
    """A part of a token as a search takes it (R4 Search, Escaping), percent-encoded: sites' codes hold all sorts."""
    return quote(re.sub(r"([\\$,|])", r"\\\1", text), safe="/:")
