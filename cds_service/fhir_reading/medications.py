"""Medications that were ordered or taken: what, from when, until when. What a drug means is the knowledge's.

Room: fhir_reading. Reads MedicationRequest, and MedicationStatement and MedicationAdministration where they are sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from cds_service.fhir_reading.codings import codings_of, display_of
from cds_service.fhir_reading.dates import read_day
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import Json, ResourceShape, is_empty, members, text_at, texts_in
from cds_service.fhir_reading.releases import validated
from cds_service.hematology.clinical_picture import CauseMatch, RecordedMedication
from cds_service.knowledge.model import CauseCatalogue

_STANDING = {
    "MedicationRequest": {"active": True, "completed": False, "stopped": False},
    "MedicationStatement": {"active": True, "completed": False, "stopped": False},
    "MedicationAdministration": {"in-progress": True, "completed": False, "stopped": False},
}
"""Resource type to the statuses that count, and whether each is still going."""
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
RESOURCE_TYPES = frozenset(_STANDING)
SHAPES = {
    "MedicationRequest": ResourceShape("MedicationRequest", {"status": None, "intent": None, "doNotPerform": None}),
    "MedicationStatement": ResourceShape("MedicationStatement", {"status": None}),
    "MedicationAdministration": ResourceShape("MedicationAdministration", {"status": None}),
}
"""What decides whether a medication counts. What the drug is and its days are read part by part, by other modules."""


@dataclass(frozen=True)
class ReadMedication:
    """A medication that stands; `mapped`: a code or a name of it is understood."""

    recorded: RecordedMedication
    mapped: bool


@dataclass(frozen=True)
class Drugs:
    """Tells what a medication is: the knowledge's catalogue, and the Medication resources sent beside."""

    catalogue: CauseCatalogue
    sent: Mapping[str, Json]

    def concepts(self, resource: Json) -> Iterator[object]:
        """Every concept that names the drug: the code, a Medication's code and its ingredients."""
        yield resource.get("medicationCodeableConcept")
        reference = text_at(resource, "medicationReference", "reference")
        if reference is None:
            return
        contained = {f"#{text_at(part, 'id')}": part for part in members(resource, "contained")}
        medication = contained.get(reference) or self.sent.get(reference.split("/_history/")[0], {})
        yield medication.get("code")
        yield from (ingredient.get("itemCodeableConcept") for ingredient in members(medication, "ingredient"))

    def match(self, resource: Json) -> tuple[tuple[CauseMatch, ...], bool]:
        """What the drug means, and whether it is understood. A name is only searched where no code is known."""
        concepts = list(self.concepts(resource))
        codings = tuple(coding for concept in concepts for coding in codings_of(concept))
        if any(self.catalogue.knows_code(*coding) for coding in codings):
            return self.catalogue.match_codings(codings), True
        names = [*texts_in(concepts), *texts_in(resource.get("medicationReference"))]
        named = {match.group: match for name in reversed(names) for match in self.catalogue.match_drug_name(name)}
        understood = any(self.catalogue.understands_code(*coding) for coding in codings)
        return tuple(named.values()), understood or bool(named)

    def display(self, resource: Json) -> str:
        """What the record calls the drug."""
        shown = (display_of(concept) for concept in self.concepts(resource))
        return next((text for text in shown if text), "") or text_at(resource, "medicationReference", "display") or ""


def read_drugs(entries: Iterable[Entry], catalogue: CauseCatalogue) -> Drugs:
    """The Medication resources among the entries, by every reference they go by."""
    sent: dict[str, Json] = {}
    for entry in entries:
        if entry.resource_type == "Medication":
            named = text_at(entry.resource, "id")
            references = (entry.full_url, f"Medication/{named}" if named else None)
            sent.update({reference: entry.resource for reference in references if reference is not None})
    return Drugs(catalogue, sent)


def read_medication(resource: Json, reference: str, drugs: Drugs, as_of: datetime) -> ReadMedication | None:
    """One medication of this patient; None: it doesn't stand (a plan, not given, not to be given)."""
    going = _is_going(resource)
    if going is None:
        return None
    matches, understood = drugs.match(resource)
    clear = is_empty(resource.get("modifierExtension")) and is_empty(resource.get("implicitRules"))
    start, written, end = _first_day(resource), _written(resource), _last_day(resource)
    if end is None and not going:
        end = max((day for day in (start, written) if day is not None), default=None)
    today = as_of.astimezone(UTC).date()
    return ReadMedication(
        RecordedMedication(
            reference=reference,
            display=drugs.display(resource),
            start=start or written,
            end=end,
            current=going and (end is None or end >= today),
            dates=tuple(sorted(set(_days(resource)))),
            matches=matches if clear else (),
        ),
        mapped=understood and clear,
    )


def _is_going(resource: Json) -> bool | None:
    """True: still going, False: ended; None: it doesn't count."""
    resource_type = str(resource.get("resourceType"))
    order = validated(resource, SHAPES[resource_type])
    if "doNotPerform" in order.faulty or order.elements.get("doNotPerform"):
        return None
    if resource_type == "MedicationRequest" and order.elements.get("intent") not in _ORDERS:
        return None
    return _STANDING[resource_type].get(order.elements.get("status", ""))


def _bounds(resource: Json, end: str) -> list[date]:
    """The starts (or ends) of the dosage instructions' bounds."""
    dosages = [*members(resource, "dosageInstruction"), *members(resource, "dosage")]
    days = (read_day(text_at(dosage, "timing", "repeat", "boundsPeriod", end)) for dosage in dosages)
    return sorted(day for day in days if day is not None)


def _effective(resource: Json, end: str) -> date | None:
    instant = text_at(resource, "effectiveDateTime")
    return read_day(instant or text_at(resource, "effectivePeriod", end))


def _first_day(resource: Json) -> date | None:
    return next(iter(_bounds(resource, "start")), None) or _effective(resource, "start")


def _written(resource: Json) -> date | None:
    return read_day(text_at(resource, "authoredOn")) or read_day(text_at(resource, "dateAsserted"))


def _last_day(resource: Json) -> date | None:
    valid_until = read_day(text_at(resource, "dispenseRequest", "validityPeriod", "end"))
    return valid_until or next(reversed(_bounds(resource, "end")), None) or _effective(resource, "end")


def _days(resource: Json) -> Iterator[date]:
    """Every day the record names."""
    for end in ("start", "end"):
        yield from _bounds(resource, end)
        single = (_effective(resource, end), read_day(text_at(resource, "dispenseRequest", "validityPeriod", end)))
        yield from (day for day in (*single, _written(resource)) if day is not None)
