"""Observations taken apart into single results, and the rules that every kind of result has to pass.

Room: fhir_reading. Knows whose a result is, its status, its specimen and its time; not what is done with its value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cds_service.fhir_reading.clump_text import ClumpWords
from cds_service.fhir_reading.codings import LabCodes, TestIdentity, code_is_sound, identify
from cds_service.fhir_reading.dates import collected
from cds_service.fhir_reading.projection import (
    CONCEPT,
    DATE,
    PERIOD,
    QUANTITY,
    Json,
    ResourceShape,
    is_empty,
    members,
)
from cds_service.fhir_reading.quantities import CountReader
from cds_service.fhir_reading.releases import Validated, validated
from cds_service.fhir_reading.specimens import Specimens
from cds_service.fhir_reading.subjects import Subjects
from cds_service.hematology.lab_results import CollectionTime, SetAsideReason

OBSERVATION = ResourceShape(
    "Observation",
    {
        "status": None,
        "effectiveDateTime": DATE,
        "effectiveInstant": DATE,
        "effectivePeriod": PERIOD,
        "issued": DATE,
        "valueQuantity": QUANTITY,
        "valueCodeableConcept": CONCEPT,
        "valueString": None,
        "valueInteger": None,
        "valueBoolean": None,
    },
)
_OF_A_COMPONENT = ("code", "dataAbsentReason", "interpretation", "referenceRange", "modifierExtension")
_NOT_INHERITED = frozenset((*_OF_A_COMPONENT, "text", "component")) - {"modifierExtension"}
_NO_RESULT = frozenset({"registered", "preliminary", "cancelled"})


@dataclass(frozen=True)
class ResultRules:
    """What results are held against in one call."""

    subjects: Subjects
    specimens: Specimens
    accepted_statuses: frozenset[str]
    as_of: datetime
    counts: CountReader
    clumps: ClumpWords


@dataclass(frozen=True)
class Reported:
    """One result as sent: an Observation, one of its components, or a contained one with what its report says.

    `subjects` must all be the patient. `container` holds the contained resources. `further` are elements of the panel
    or report that may tell the specimen. `refusal` is what already speaks against it.
    """

    resource: Json
    reference: str
    full_url: str | None
    identity: TestIdentity
    subjects: tuple[object, ...]
    container: Json
    further: tuple[object, ...] = ()
    refusal: SetAsideReason | None = None


@dataclass(frozen=True)
class Examined:
    """A result with the rules applied that don't depend on its value.

    `refusal` is the first rule failed before value and time. `is_readable`: it is the patient's, of blood, of an
    accepted or unknown status and has a readable date.
    """

    reported: Reported
    observation: Validated
    refusal: SetAsideReason | None
    collected: CollectionTime | SetAsideReason
    is_readable: bool


def results_in(whole: Reported, lab_codes: LabCodes) -> Iterator[Reported]:
    """The result itself and its components, as far as their codes are of any use."""
    if whole.identity.is_known:
        yield whole
    for component in members(whole.resource, "component"):
        identity = identify(component.get("code"), lab_codes)
        if identity.is_known:
            yield replace(
                whole,
                resource=_as_observation(component, whole.resource),
                identity=identity,
                further=(*whole.further, whole.resource.get("code")),
            )


def _as_observation(component: Json, panel: Json) -> Json:
    """A component read as an Observation of its own: its code and value, the panel's everything else."""
    shared = {name: part for name, part in panel.items() if name not in _NOT_INHERITED and not name.startswith("value")}
    own = {name: part for name, part in component.items() if name in _OF_A_COMPONENT or name.startswith("value")}
    return {**shared, **own}


def examine(reported: Reported, rules: ResultRules) -> Examined:
    """Apply the rules of resource, subject, status, specimen and time, in this order."""
    observation = validated(reported.resource, OBSERVATION)
    time = collected(observation, reported.resource, rules.as_of)
    invalid = _invalid(reported)
    foreign = _foreign(reported, rules.subjects)
    status = _status_refusal(observation.elements.get("status"), rules.accepted_statuses)
    not_blood = rules.specimens.is_not_blood(reported.resource, reported.container, reported.further)
    of_specimen = SetAsideReason.NOT_BLOOD if not_blood else None
    return Examined(
        reported,
        observation,
        refusal=invalid or foreign or reported.refusal or status or of_specimen,
        collected=time,
        is_readable=(foreign or reported.refusal or of_specimen) is None
        and status in (None, SetAsideReason.STATUS_UNKNOWN)
        and isinstance(time, CollectionTime),
    )


def _invalid(reported: Reported) -> SetAsideReason | None:
    """A modifier that isn't understood may turn the meaning around: FHIR forbids to read on."""
    resource = reported.resource
    modified = not is_empty(resource.get("modifierExtension")) or not is_empty(resource.get("implicitRules"))
    if modified or not code_is_sound(resource["code"]):
        return SetAsideReason.INVALID_RESOURCE
    return SetAsideReason.CONTRADICTORY_CODES if reported.identity.contradictory else None


def _foreign(reported: Reported, subjects: Subjects) -> SetAsideReason | None:
    refusals = (subjects.refusal(subject, reported.full_url) for subject in reported.subjects)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _status_refusal(status: object, accepted: frozenset[str]) -> SetAsideReason | None:
    if status == "entered-in-error":
        return SetAsideReason.ENTERED_IN_ERROR
    if status in accepted:
        return None
    return SetAsideReason.STATUS_NOT_FINAL if status in _NO_RESULT else SetAsideReason.STATUS_UNKNOWN
