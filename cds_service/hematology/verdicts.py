"""What an assessment says: verdicts with their reasons, severity, causes, and what deserves a clinician's attention."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from cds_service.hematology.clinical_picture import ClinicalPicture, Downgrade
from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, CollectionTime, CompanionResult, CountResult, SetAside


class Finding(StrEnum):
    """What is looked for."""

    LEUKOPENIA = "leukopenia"
    THROMBOCYTOPENIA = "thrombocytopenia"
    BICYTOPENIA = "bicytopenia"


class Verdict(StrEnum):
    """Never two-valued: missing is never normal, unreadable is never absent."""

    PRESENT = "present"
    UNCONFIRMED = "unconfirmed"
    UNRELIABLE = "unreliable"
    ABSENT = "absent"
    NOT_EVALUABLE = "not-evaluable"
    NO_RECENT_RESULT = "no-recent-result"


class Side(StrEnum):
    """Which side of the limit an occasion is on."""

    LOW = "low"
    NOT_LOW = "not-low"
    CONFLICTING = "conflicting"
    """Results of one occasion, still differing, on both sides."""
    UNRELIABLE = "unreliable"
    """A low platelet count of a clumped specimen."""
    UNDECIDED = "undecided"
    """A bound that doesn't decide."""


@dataclass(frozen=True)
class Occasion:
    """All results of one analyte that stand for one collection: one specimen is one result.

    `results` are those left by the tie rule, lowest value first; several only where they still differ.
    """

    analyte: Analyte
    results: tuple[CountResult, ...]
    side: Side

    @property
    def result(self) -> CountResult:
        """The result severity and the card's headline take: the lowest."""
        return self.results[0]

    @property
    def collected(self) -> CollectionTime:
        """When it was collected."""
        return self.results[0].collected

    @property
    def low_confidence(self) -> bool:
        """An estimate or a capillary count, as all of its results: an older specimen of a run, never its newest."""
        return self.results[0].low_confidence

    def __hash__(self) -> int:
        """By the lowest result, as of a count."""
        return hash(self.results[0].reference)


class RunWords(StrEnum):
    """How long a run lasts, as the card says it."""

    ONE = "one-low-result"
    REPEATED = "repeated"
    """low on N results over D days (hours when under a day)"""
    THREE_MONTHS = "three-months"
    """low for 3 months or more"""
    WITH_GAP = "with-gap"
    """low on N results from DATE to DATE, none between for G days"""


@dataclass(frozen=True)
class Run:
    """The unbroken series of low results ending at the newest; `occasions` newest first."""

    occasions: tuple[Occasion, ...]
    words: RunWords
    days: int
    """Difference of the calendar dates of the newest and the oldest."""
    hours: int | None = None
    """Told when the run lasts under a day and both ends are timed."""
    widest_gap_days: int = 0

    @property
    def newest(self) -> Occasion:
        """The newest low occasion."""
        return self.occasions[0]

    @property
    def oldest(self) -> Occasion:
        """The first low occasion of the run."""
        return self.occasions[-1]


@dataclass(frozen=True)
class FindingAssessment:
    """One finding: its verdict and everything it rests on.

    `statement` cites the source document (None: site default only). `criteria` are the numbers applied, in the order a
    reader would check them. `occasions` are those the verdict rests on, newest first (bicytopenia: the pair and the
    newest of each). `unread` are newer results that were reported but couldn't be read; `previous` is the usable
    occasion before the newest, whatever its side.
    """

    finding: Finding
    verdict: Verdict
    statement: str | None
    criteria: tuple[Criterion, ...]
    occasions: tuple[Occasion, ...] = ()
    newest: Occasion | None = None
    run: Run | None = None
    previous: Occasion | None = None
    unread: tuple[SetAside, ...] = ()
    conflicting: Occasion | None = None
    """The newest time, where it is conflicting with one value below the limit."""
    pair: tuple[Occasion, Occasion] | None = None
    """Bicytopenia: the low leukocyte and the low platelet occasion at most `pair` days apart."""
    shown_only: tuple[CountResult, ...] = ()
    """Low-confidence results that decided nothing."""
    deciding: tuple[Occasion, ...] = ()
    """All of the lookback that could decide a verdict: low, not low or unreliable, newest first."""


class CriticalReason(StrEnum):
    """What makes a finding critical."""

    LEUKOCYTES = "leukocytes"
    NEUTROPHILS = "neutrophils"
    PLATELETS = "platelets"
    BLASTS = "blasts"


@dataclass(frozen=True)
class Severity:
    """Severity reads only the newest usable result of each analyte, collected within the severity window.

    `grades`: CTCAE v5.0 grade by analyte, 1 (low, mildest) to 4; analytes that aren't low or not judged are left out.
    `critical` holds each reason with the results it rests on and the limit (None for blasts).
    """

    critical: tuple[tuple[CriticalReason, CountResult | CompanionResult, Criterion | None], ...] = ()
    grades: tuple[tuple[Analyte, int], ...] = ()


class EvidenceKind(StrEnum):
    """What kind of record supports a group."""

    CONDITION = "condition"
    MEDICATION = "medication"
    BLASTS = "blasts"


@dataclass(frozen=True)
class Evidence:
    """A record that supports a group. `display` is our name of the code; `chart_text` the chart's (untrusted)."""

    kind: EvidenceKind
    reference: str
    system: str
    code: str
    display: str
    chart_text: str = ""
    dated: date | None = None
    """Onset or recorded day of a condition, start of a medication, day of a blasts report."""
    days_before_first_low: int | None = None
    """Medication: start relative to the first low result of the finding it affects (negative: after it)."""
    end: date | None = None
    current: bool = False


@dataclass(frozen=True)
class GroupSupport:
    """What this record says of one cause group. Without evidence: nothing in the data sent supports it."""

    group: str
    evidence: tuple[Evidence, ...] = ()
    weak: tuple[Evidence, ...] = ()
    """Recorded, but too weak to support the group; shown, never counted."""


@dataclass(frozen=True)
class Causes:
    """Cause groups with evidence (and the two always named for bicytopenia), and what is context only."""

    groups: tuple[GroupSupport, ...] = ()
    context: tuple[GroupSupport, ...] = ()
    assessed: bool = False
    weak: tuple[GroupSupport, ...] = ()
    """Groups that only weak records point to: shown, never counted."""


class Situation(StrEnum):
    """The row of the indicator table that applies: the first one that does."""

    CRITICAL = "critical"
    MILD_FALL = "mild-fall"
    DOWNGRADED = "downgraded"
    BICYTOPENIA = "bicytopenia"
    LEUKOPENIA = "leukopenia"
    LEUKOPENIA_UNCONFIRMED = "leukopenia-unconfirmed"
    THROMBOCYTOPENIA = "thrombocytopenia"
    THROMBOCYTOPENIA_UNRELIABLE = "thrombocytopenia-unreliable"
    CONFLICTING = "conflicting"
    NOT_EVALUABLE = "not-evaluable"
    """Only where the site has switched it on."""


class Importance(StrEnum):
    """How insistent a card is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Alert:
    """What deserves attention: at most one per assessment, the most important finding, the others inside it."""

    situation: Situation
    importance: Importance
    leading: Finding
    downgrades: tuple[tuple[Downgrade, Evidence], ...] = ()
    fallen_from: tuple[Occasion, ...] = ()
    """Mild fall: the last occasion of each analyte that was not low, leukocytes first."""


@dataclass(frozen=True)
class Assessment:
    """Everything the service concluded from one picture as of one point in time."""

    as_of: datetime
    leukopenia: FindingAssessment
    thrombocytopenia: FindingAssessment
    bicytopenia: FindingAssessment
    severity: Severity
    causes: Causes
    alert: Alert | None
    picture: ClinicalPicture
    not_used: tuple[SetAside, ...] = ()
    """Every result set aside inside the lookback, with bounds that decided nothing, newest first, undated last."""
    known: tuple[Evidence, ...] = ()
    """Records of the finding itself (known-finding) that stand."""
    minor: bool = False

    @property
    def findings(self) -> tuple[FindingAssessment, FindingAssessment, FindingAssessment]:
        """The three findings, always all of them."""
        return (self.leukopenia, self.thrombocytopenia, self.bicytopenia)

    def change_since_previous(self, finding: FindingAssessment) -> Decimal | None:
        """Newest value minus the previous one, in 10*9/L; None where either is missing."""
        if finding.newest is None or finding.previous is None:
            return None
        return finding.newest.result.value - finding.previous.result.value
