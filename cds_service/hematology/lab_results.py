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
    reference_range: str | None = None


@dataclass(frozen=True)
class CompanionResult:
    """A result shown as reported. `present` is told for blasts only: True, False, or None where it can't be told."""

    reference: str
    kind: CompanionKind
    collected: CollectionTime
    reported: str
    status: str = "final"
    present: bool | None = None


@dataclass(frozen=True)
class ClumpingReport:
    """Positive evidence of platelet clumping on a specimen of its own report (not the count's own note)."""

    reference: str
    collected: CollectionTime
    specimen: str | None = None


class SetAsideReason(StrEnum):
    """Why a result with an analyte code isn't used: the first rule failed, in the order the criteria list them."""

    INVALID_RESOURCE = "invalid-resource"
    CONTRADICTORY_CODES = "contradictory-codes"
    SUBJECT_MISSING = "subject-missing"
    SUBJECT_NOT_RESOLVABLE = "subject-not-resolvable"
    OTHER_PATIENT = "other-patient"
    CONTAINED_UNREFERENCED = "contained-unreferenced"
    ENTERED_IN_ERROR = "entered-in-error"
    STATUS_NOT_FINAL = "status-not-final"
    STATUS_UNKNOWN = "status-unknown"
    NOT_BLOOD = "not-blood"
    DATA_ABSENT = "data-absent"
    VALUE_MISSING = "value-missing"
    VALUE_AND_DATA_ABSENT = "value-and-data-absent"
    VALUE_NOT_A_QUANTITY = "value-not-a-quantity"
    NARRATIVE_ONLY = "narrative-only"
    VALUE_INVALID = "value-invalid"
    COMPARATOR_UNSUPPORTED = "comparator-unsupported"
    UNIT_MISSING = "unit-missing"
    UNIT_NOT_UNDERSTOOD = "unit-not-understood"
    UNIT_NOT_A_COUNT = "unit-not-a-count"
    UNIT_CONTRADICTION = "unit-contradiction"
    VALUE_IMPLAUSIBLE = "value-implausible"
    DATE_MISSING = "date-missing"
    DATE_IMPRECISE = "date-imprecise"
    DATE_INVALID = "date-invalid"
    DATE_IN_FUTURE = "date-in-future"
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
