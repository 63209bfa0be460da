"""Laboratory results as the domain sees them: one count of one analyte at one collection time.

Knows no FHIR and no codes: the reader has already decided what a resource is and whose it is.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Analyte(StrEnum):
    """What is counted. Values are in 10*9/L."""

    LEUKOCYTES = "leukocytes"
    PLATELETS = "platelets"
    NEUTROPHILS = "neutrophils"


class CompanionKind(StrEnum):
    """Results shown beside the counts. Only blasts raise anything, and only severity and one cause group."""

    BLASTS = "blasts"
    HEMOGLOBIN = "hemoglobin"
    AST = "ast"
    ALT = "alt"
    TEMPERATURE = "temperature"
    EDTA_CLUMP_CHECK = "edta-clump-check"
    PLATELET_ADEQUACY = "platelet-adequacy"


class Comparator(StrEnum):
    """How the reported number bounds the true value (FHIR Quantity.comparator)."""

    EXACT = "="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True)
class CollectionTime:
    """When a specimen was collected.

    `reported` is the text of the record; `day` its calendar date in the offset it was reported with; `instant` is
    timezone-aware, or None where the record gives a date without time or a time without zone (the whole day is meant).
    `from_issued`: no collection time was given, the time of issue stands in and the card says so.
    """

    reported: str
    day: date
    instant: datetime | None = None
    from_issued: bool = False


@dataclass(frozen=True)
class ReferenceRange:
    """What the laboratory calls usual, as reported: a text, or bounds in `unit`, one of which may be open."""

    text: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class CountResult:
    """A usable count. `value` is in 10*9/L, unrounded; `reported_value` and `reported_unit` are the record's text."""

    reference: str
    analyte: Analyte
    collected: CollectionTime
    value: Decimal
    reported_value: str
    reported_unit: str
    status: str = "final"
    comparator: Comparator = Comparator.EXACT
    converted: bool = False
    """True where the reported unit isn't a spelling of 10*9/L with factor 1."""
    issued: datetime | None = None
    specimen: str | None = None
    low_confidence: bool = False
    """An estimate or a capillary count: never decides."""
    nrbc_corrected: bool = False
    clumped: bool = False
    """The count's own note or interpretation reports platelet clumps."""
    interpretation: str | None = None
    reference_range: ReferenceRange | None = None

    def __hash__(self) -> int:
        """By the reference alone: two that differ in all else are rare, and hashing all of it is slow."""
        return hash(self.reference)

    @property
    def usual(self) -> tuple[Decimal | None, Decimal | None]:
        """The laboratory's own bounds in 10*9/L; None: open, or not in the unit of the result and so not known."""
        usual, reported = self.reference_range, Decimal(self.reported_value)
        if usual is None or usual.unit != self.reported_unit or not reported:
            return None, None
        low, high = (None if bound is None else bound * self.value / reported for bound in (usual.low, usual.high))
        return low, high


@dataclass(frozen=True)
class CompanionResult:
    """A result shown as reported.

    `present` is told for blasts only: True, False, or None where it can't be told. `number` is the value of a plain
    quantity in `unit`, neither converted nor compared with anything.
    """

    reference: str
    kind: CompanionKind
    collected: CollectionTime
    reported: str
    status: str = "final"
    present: bool | None = None
    number: Decimal | None = None
    unit: str = ""

    def __hash__(self) -> int:
        """By the reference alone, as of a count."""
        return hash(self.reference)


@dataclass(frozen=True)
class ClumpingReport:
    """Positive evidence of platelet clumping on a specimen of its own report (not the count's own note)."""

    reference: str
    collected: CollectionTime
    specimen: str | None = None


class SetAsideReason(StrEnum):
    """Why a result with an analyte code isn't used: the first rule failed, in the order the criteria list them.

    The sentence below each is what integrators read of it.
    """

    INVALID_RESOURCE = "invalid-resource"
    """A modifier or rule that isn't understood may turn the meaning around, or a coding can't be read."""
    CONTRADICTORY_CODES = "contradictory-codes"
    """The codings name two analytes, or a count beside what only resembles one."""
    SUBJECT_MISSING = "subject-missing"
    """No subject is named."""
    SUBJECT_NOT_RESOLVABLE = "subject-not-resolvable"
    """The subject can't be proved to be the patient: contained, an identifier alone, or on an unknown server."""
    OTHER_PATIENT = "other-patient"
    """The subject is another patient: never used, and counted as a safety defect."""
    CONTAINED_UNREFERENCED = "contained-unreferenced"
    """It is contained in a resource that doesn't name it as a result of a report."""
    ENTERED_IN_ERROR = "entered-in-error"
    """The result, or the report around it, was entered in error."""
    STATUS_NOT_FINAL = "status-not-final"
    """Registered, preliminary or cancelled: no result yet, or none any more."""
    STATUS_UNKNOWN = "status-unknown"
    """The status is unknown, not given or none of FHIR's; a site may accept `unknown`."""
    NOT_BLOOD = "not-blood"
    """Specimen, body site, method, category or text says in a whole word that it isn't of blood."""
    DATA_ABSENT = "data-absent"
    """There is only a dataAbsentReason."""
    VALUE_MISSING = "value-missing"
    """There is no value, or a quantity without a number."""
    VALUE_AND_DATA_ABSENT = "value-and-data-absent"
    """There is a value and also a dataAbsentReason."""
    VALUE_NOT_A_QUANTITY = "value-not-a-quantity"
    """The value is a text, a range or something else that isn't a Quantity."""
    NARRATIVE_ONLY = "narrative-only"
    """The value stands only in the narrative."""
    VALUE_INVALID = "value-invalid"
    """The quantity breaks FHIR's rules, isn't a number, or isn't the only value."""
    COMPARATOR_UNSUPPORTED = "comparator-unsupported"
    """The comparator is none of `<`, `<=`, `>` and `>=`."""
    UNIT_MISSING = "unit-missing"
    """There is neither a unit nor a code; it is never guessed from the magnitude."""
    UNIT_NOT_UNDERSTOOD = "unit-not-understood"
    """Neither the table of units nor UCUM knows it as written."""
    UNIT_NOT_A_COUNT = "unit-not-a-count"
    """The unit is understood, and is not a number per volume."""
    UNIT_CONTRADICTION = "unit-contradiction"
    """Unit and code are both understood and don't say the same."""
    VALUE_IMPLAUSIBLE = "value-implausible"
    """Converted, it is negative or lies outside what is possible for the analyte."""
    DATE_MISSING = "date-missing"
    """There is neither a time of collection nor of issue."""
    DATE_IMPRECISE = "date-imprecise"
    """Only a year or a month is given."""
    DATE_INVALID = "date-invalid"
    """It isn't a date, or there is no such day or offset."""
    DATE_IN_FUTURE = "date-in-future"
    """It lies more than a day after the call."""
    BOUND_UNDECIDED = "bound-undecided"
    """A `<x` or `>x` on the wrong side of the limit to decide anything. Told by the domain, not by the reader."""


@dataclass(frozen=True)
class SetAside:
    """A result with an analyte code that can't be used, kept with its reason.

    `unreadable` (reported but unreadable): it is this patient's, of blood, of an accepted or unknown status, has a
    readable date and a value, and yet can't be used; newer than a normal count it makes a verdict not-evaluable.
    """

    reference: str
    analyte: Analyte
    reason: SetAsideReason
    collected: CollectionTime | None = None
    reported: str = ""
    unreadable: bool = False
