"""Which release of FHIR a resource is of, by elements that only one release has.

Room: fhir_reading. Knows element names, no element's meaning.
"""

from collections.abc import Mapping
from typing import Final

from cds_service.fhir_reading.projection import Json, is_empty
from cds_service.fhir_reading.releases import Release

STU3, R5 = Release.STU3, Release.R5
ONLY_IN: Final[Mapping[str, Mapping[str, Release]]] = {
    "Observation": {
        **dict.fromkeys(("comment", "related", "context"), STU3),
        **dict.fromkeys(("bodyStructure", "instantiatesCanonical", "instantiatesReference", "triggeredBy"), R5),
    },
    "Condition": {**dict.fromkeys(("assertedDate", "abatementBoolean", "context"), STU3), "participant": R5},
    "MedicationRequest": {
        **dict.fromkeys(("context", "definition"), STU3),
        **dict.fromkeys(("medication", "reason", "effectiveDosePeriod", "renderedDosageInstruction"), R5),
    },
    "MedicationStatement": {
        **dict.fromkeys(("taken", "reasonNotTaken"), STU3),
        **dict.fromkeys(("medication", "reason", "adherence", "renderedDosageInstruction"), R5),
    },
    "MedicationAdministration": {
        **dict.fromkeys(("notGiven", "reasonNotGiven", "prescription"), STU3),
        **dict.fromkeys(("medication", "reason", "occurenceDateTime", "occurencePeriod", "occurenceTiming"), R5),
    },
    "DiagnosticReport": {
        **dict.fromkeys(("context", "codedDiagnosis", "image"), STU3),
        **dict.fromkeys(("composition", "study", "supportingInfo"), R5),
    },
    "Medication": {
        **dict.fromkeys(("isBrand", "isOverTheCounter", "package", "image"), STU3),
        **dict.fromkeys(("doseForm", "totalVolume", "marketingAuthorizationHolder", "definition"), R5),
    },
}
"""Resource type, and the elements that only one release has (R5's misspelt `occurence` is the specification's)."""


def release_told_by(resource: Json) -> Release | None:
    """The release that alone has an element of this resource; None: it looks like R4."""
    resource_type = str(resource.get("resourceType"))
    only_in = ONLY_IN.get(resource_type, {})
    if not only_in.keys().isdisjoint(resource):
        told = next((release for name, release in only_in.items() if not is_empty(resource.get(name))), None)
        if told is not None:
            return told
    coded = resource_type == "Condition" and any(
        isinstance(resource.get(name), str) for name in ("clinicalStatus", "verificationStatus")
    )
    return STU3 if coded else None
