"""Third step: which results are read as counts, which are set aside and why, and what is coded beyond our knowledge."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from cds_service.doctor.steps import Outcome, Step
from cds_service.fhir_reading.codings import codings_of
from cds_service.fhir_reading.entries import Entry
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import SetAsideReason
from cds_service.knowledge.model import CauseCatalogue
from cds_service.knowledge.reasons_page import meanings_of_reasons
from cds_service.services.chart_text import clean_text

_SHOWN = 20
_UNIT_CHARACTERS = 30
_OF_UNITS = (
    SetAsideReason.UNIT_NOT_UNDERSTOOD,
    SetAsideReason.UNIT_NOT_A_COUNT,
    SetAsideReason.UNIT_CONTRADICTION,
)
_ORDINARY = {
    SetAsideReason.ENTERED_IN_ERROR,
    SetAsideReason.STATUS_NOT_FINAL,
    SetAsideReason.NOT_BLOOD,
    SetAsideReason.DATA_ABSENT,
}
"""What every laboratory has some of; nothing to be put right."""
_ADVICE = {
    **dict.fromkeys(_OF_UNITS, "Have the laboratory send UCUM codes, or add the spelling to the site's units.toml."),
    SetAsideReason.UNIT_MISSING: "Have the laboratory send units; they are never guessed.",
    SetAsideReason.STATUS_UNKNOWN: "If the server always says `unknown`, a site may accept it (CDS_ACCEPTED_STATUSES).",
}


def results_step(picture: ClinicalPicture, entries: Iterable[Entry], causes: CauseCatalogue) -> Step:
    """What was read of the laboratory results, and of conditions and medications."""
    read = Counter(count.analyte.value for count in picture.counts)
    aside = Counter(one.reason for one in picture.set_aside)
    units = Counter(_units(picture))
    systems = Counter(_foreign_systems(entries, causes))
    hindered = set(aside) - _ORDINARY
    advice = dict.fromkeys(_ADVICE.get(reason, _SEE_REASONS) for reason in aside if reason in hindered)
    outcome = Outcome.PROBLEM if hindered else Outcome.NOTE if aside or systems else Outcome.FINE
    return Step(
        "The results",
        outcome,
        tuple(_lines(read, aside, units, systems)),
        (*advice, *((_SYSTEMS,) if systems else ())),
        {"read": read, "setAside": aside, "unitsNotRead": units, "systemsNotUnderstood": systems},
    )


_SEE_REASONS = "docs/knowledge/reasons.md explains each reason."
_SYSTEMS = "Map the site's own condition and drug codes: docs/how-to/map-local-codes.md."


def _lines(
    read: Mapping[str, int], aside: Mapping[SetAsideReason, int], units: Counter[str], systems: Counter[str]
) -> Iterator[str]:
    counted = ", ".join(f"{number} of {analyte}" for analyte, number in sorted(read.items()))
    yield f"Counts read: {counted or 'none'}."
    for reason, number in aside.items():
        yield f"Set aside: {number} as {reason.value}. {meanings_of_reasons()[reason]}"
    if units:
        yield f"Units not read: {_counted(units)}."
    if systems:
        yield f"Conditions and medications coded in systems not understood: {_counted(systems)}."


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" for name, number in counter.most_common(_SHOWN))


def _units(picture: ClinicalPicture) -> Iterator[str]:
    for one in picture.set_aside:
        if one.reason in _OF_UNITS:
            yield clean_text(one.reported.partition(" ")[2], _UNIT_CHARACTERS)


def _foreign_systems(entries: Iterable[Entry], causes: CauseCatalogue) -> Iterator[str]:
    """The code systems of conditions and medications of which no coding is understood."""
    for entry in entries:
        concept = entry.resource.get("medicationCodeableConcept", entry.resource.get("code"))
        if entry.resource.get("resourceType") in ("Condition", "MedicationRequest") and concept is not None:
            codings = codings_of(concept)
            if codings and not any(causes.understands_code(system, code) for system, code in codings):
                yield clean_text(codings[0][0])
