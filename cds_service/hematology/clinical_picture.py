"""What was read of one patient: the input of the assessment. No FHIR; coded data arrive matched to cause groups."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cds_service.hematology.lab_results import Analyte, ClumpingReport, CompanionResult, CountResult, SetAside


class Use(StrEnum):
    """What a matched code may do. Only evidence supports a group."""

    EVIDENCE = "evidence"
    WEAK = "weak"
    NOISE = "noise"
    CONTEXT = "context"
    NONE = "none"


class Course(StrEnum):
    """Acute: counts near the low count only. Chronic: counts while active."""

    ACUTE = "acute"
    CHRONIC = "chronic"


class Affects(StrEnum):
    """Which count a cause can explain."""

    LEUKOCYTES = "leukocytes"
    PLATELETS = "platelets"
    BOTH = "both"


class Downgrade(StrEnum):
    """Why a card may be less insistent."""

    THERAPY = "therapy"
    MARROW = "marrow"
    BENIGN = "benign"


@dataclass(frozen=True)
class CauseMatch:
    """What a code (or a drug name) means for one cause group: the most specific row of that group decides."""

    group: str
    use: Use
    course: Course
    affects: Affects
    system: str
    code: str
    display: str
    """The name in our value set, never the chart's own text."""
    downgrade: Downgrade | None = None
    mechanisms: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedCondition:
    """A condition that stands (not refuted, not resolved). Dates have day precision or are None."""

    reference: str
    display: str
    """The chart's own words (untrusted text)."""
    onset: date | None = None
    recorded: date | None = None
    matches: tuple[CauseMatch, ...] = ()

    @property
    def dated(self) -> date | None:
        """Onset, else the day it was recorded."""
        return self.onset or self.recorded


@dataclass(frozen=True)
class RecordedMedication:
    """An order or a statement of use that stands.

    `start` is the day it began, else the day it was written; `end` its last day. `current`: still going, or an active
    order without any date. `dates` holds every day the record names.
    """

    reference: str
    display: str
    start: date | None = None
    end: date | None = None
    current: bool = False
    dates: tuple[date, ...] = ()
    matches: tuple[CauseMatch, ...] = ()


@dataclass(frozen=True)
class PatientFacts:
    """What the Patient resource says. `born` is the latest day its birthDate allows; None: not known."""

    born: date | None = None
    deceased: bool = False
    active: bool = True
    replaced: bool = False


@dataclass(frozen=True)
class ClinicalPicture:
    """All that was read of one patient, and all that wasn't."""

    counts: tuple[CountResult, ...] = ()
    companions: tuple[CompanionResult, ...] = ()
    clumping: tuple[ClumpingReport, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    conditions: tuple[RecordedCondition, ...] = ()
    medications: tuple[RecordedMedication, ...] = ()
    patient: PatientFacts = field(default_factory=PatientFacts)
    not_available: tuple[str, ...] = ()
    """Kinds of data that could not be had: patient, companions, conditions, medications."""
    counts_incomplete: bool = False
    """Not every page of the counts was read."""
    unmapped_conditions: int = 0
    """Conditions that stand but are coded in systems not understood."""
    unmapped_medications: int = 0
    other_patients: int = 0
    """Resources of another patient that were sent: a safety defect, never used."""

    def counts_of(self, analyte: Analyte) -> tuple[CountResult, ...]:
        """The usable counts of one analyte, in the order read."""
        return tuple([result for result in self.counts if result.analyte is analyte])
