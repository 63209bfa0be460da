"""The loaded knowledge, frozen. No file names and no parsing here (`loader`), no clinical judgement (`hematology`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from cds_service.hematology.clinical_picture import CauseMatch
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import Analyte, CompanionKind


class LabUse(StrEnum):
    """What a laboratory test code may be used for."""

    COUNT = "count"
    LOW_CONFIDENCE_COUNT = "low-confidence-count"
    CLUMPING = "clumping"
    COMPANION = "companion"
    PANEL = "panel"
    NEVER = "never"


@dataclass(frozen=True)
class LabCode:
    """One test code of our value sets. `analyte` is told for counts, `companion` for companions."""

    system: str
    code: str
    display: str
    use: LabUse
    analyte: Analyte | None = None
    companion: CompanionKind | None = None
    nrbc_corrected: bool = False


@dataclass(frozen=True)
class UnitMeaning:
    """What a unit string means: `factor` to 10*9/L, or None for a unit that is understood and is no count unit."""

    factor: Decimal | None


class Units(Protocol):
    """The exact alias table. Annotations dropped and micro signs folded by the caller's `normalise`."""

    def normalise(self, text: str) -> str:
        """The string as the table spells it: `{...}` dropped, micro signs, zero-width and odd spaces folded."""
        ...

    def look_up(self, text: str) -> UnitMeaning | None:
        """Exact first, then case-folded where no row with another meaning shares the folded form; None: not in it."""
        ...

    def ucum_allowed(self, text: str) -> bool:
        """False for strings a UCUM library would misread (those beginning with K...)."""
        ...


class CauseCatalogue(Protocol):
    """Condition and drug codes by cause group."""

    def match_codings(self, codings: tuple[tuple[str, str], ...]) -> tuple[CauseMatch, ...]:
        """Matches of one resource's (system, code) pairs: per group the longest code decides, also when weak."""
        ...

    def match_drug_name(self, text: str) -> tuple[CauseMatch, ...]:
        """Matches of a whole-word name of a single substance (only asked when no code of the resource is known)."""
        ...

    def knows_code(self, system: str, code: str) -> bool:
        """Whether this code is in the catalogue under any use."""
        ...

    def understands_system(self, system: str) -> bool:
        """Whether any code of this system can be matched."""
        ...

    def understands_code(self, system: str, code: str) -> bool:
        """Whether this code can be matched at all (else it is counted as not understood)."""
        ...


@dataclass(frozen=True)
class ScreeningWords:
    """Words that the reader looks for, as whole words, case-folded; all shipped languages together."""

    not_blood: frozenset[str]
    """Anywhere in specimen, bodySite, method, category or text. Phrases of several words are allowed."""
    not_blood_in_specimen: frozenset[str]
    """Only in specimen and bodySite."""
    clump_stems: tuple[str, ...]
    negations_before: frozenset[str]
    negations_after: tuple[str, ...]
    clump_positive: tuple[str, ...]
    """Coded or textual values of a clump test that mean present."""


@dataclass(frozen=True)
class Plausibility:
    """Bounds outside which a converted count is not used (10*9/L)."""

    at_most: Mapping[Analyte, Decimal]
    above_zero_at_least: Decimal


@dataclass(frozen=True)
class Statement:
    """One statement of the source document: where it stands and what it says, in our words."""

    id: str
    locator: str
    paraphrase: str
    excused: str | None = None
    """Why no criterion and no wording rests on it, where that is so."""


@dataclass(frozen=True)
class Approval:
    """Whether a piece of knowledge is clinically approved: draft, or by whom and when."""

    status: str
    by: str | None = None
    on: str | None = None


@dataclass(frozen=True)
class OrderCode:
    """A code for a suggested order (draft ServiceRequest)."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class QuietReason:
    """An override reason that quiets, for how many days (0: never), and whether a critical card, too."""

    name: str
    system: str
    code: str
    days: int
    also_critical: bool = False


@dataclass(frozen=True)
class Quieting:
    """How long feedback on a card keeps its finding quiet, and the fall (percent) at which it speaks all the same."""

    overridden: tuple[QuietReason, ...]
    accepted_days: int
    critical_hours: int
    fall_percent: Decimal


@dataclass(frozen=True)
class SiteVocabulary:
    """A concept map of the site: how many of its codes are understood through it, and how many it lists in vain."""

    name: str
    version: str
    codes: int
    unused: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Knowledge:
    """Everything the service knows, loaded once, checked strictly, identified by `version` (edition + content hash)."""

    version: str
    guideline: Guideline
    lab_codes: Mapping[tuple[str, str], LabCode]
    units: Units
    causes: CauseCatalogue
    words: ScreeningWords
    plausibility: Plausibility
    accepted_statuses: frozenset[str]
    statements: Mapping[str, Statement]
    orders: Mapping[str, OrderCode]
    """Key to code: cbc-with-differential, peripheral-smear, liver-panel, abdominal-ultrasound, hematology-referral."""
    wording: Mapping[str, str]
    """Every sentence the card or a page says, by dotted key; placeholders in {braces}."""
    templates: Mapping[str, str]
    """Jinja2 templates by name."""
    drafts: tuple[str, ...]
    """What is used and not clinically approved; empty when all is approved."""
    quieting: Quieting | None
    """What feedback changes; None where the site has switched that off."""
    concept_maps: tuple[SiteVocabulary, ...] = ()
    """The site's own vocabularies that the codes of tests and causes include."""
