"""The criteria as the domain needs them: values with their provenance. Their source is `knowledge/data/criteria`."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True)
class Criterion:
    """One number of the guideline. `statement` cites the source document; None marks a site default."""

    id: str
    value: Decimal
    unit: str
    statement: str | None = None

    def __hash__(self) -> int:
        """By the id, which names one number."""
        return hash(self.id)

    @property
    def is_site_default(self) -> bool:
        """True where the source document gives no number and the site's default fills the gap."""
        return self.statement is None

    @cached_property
    def days(self) -> int:
        """The value as a whole number of days."""
        return int(self.value)

    @cached_property
    def span(self) -> timedelta:
        """The value, in days of 24 hours or in hours, as a length of time."""
        return timedelta(hours=int(self.value)) if self.unit == "h" else timedelta(days=int(self.value))


@dataclass(frozen=True)
class Bands:
    """Severity bands of one analyte in 10*9/L (CTCAE v5.0): `below[i]` is the exclusive upper limit of grade i + 2."""

    below: tuple[Criterion, Criterion, Criterion]


@dataclass(frozen=True)
class CauseGroup:
    """A group of causes. `context_only` groups are named, never offered as a cause of the document."""

    id: str
    name: str
    """What the card calls it."""
    named_causes: tuple[str, ...]
    """The document's own examples in this group, in the card's words."""
    mechanisms: tuple[str, ...]
    context_only: bool = False
    always_named: bool = False
    """Named for bicytopenia even without evidence, because the document names it."""
    statement: str | None = None


@dataclass(frozen=True)
class Guideline:
    """Everything the assessment judges by. All counts in 10*9/L, all windows in days unless said otherwise."""

    leukopenia_below: Criterion
    thrombocytopenia_below: Criterion
    lookback: Criterion
    current: Criterion
    separation: Criterion
    """Two low specimens at least this far apart stand for the document's continuously low."""
    pair: Criterion
    """A low leukocyte and a low platelet result at most this far apart are one occasion (bicytopenia)."""
    run_gap: Criterion
    """Neighbours further apart end a run."""
    long_run: Criterion
    long_run_gap: Criterion
    same_specimen_hours: Criterion
    clumping_before_hours: Criterion
    severity_window: Criterion
    critical_leukocytes_below: Criterion
    critical_neutrophils_below: Criterion
    critical_platelets_below: Criterion
    leukocyte_bands: Bands
    platelet_bands: Bands
    neutrophil_bands: Bands
    mild_leukocytes_at_least: Criterion
    mild_platelets_at_least: Criterion
    mild_fall_within: Criterion
    thrombocytopenia_card_below: Criterion
    acute_before: Criterion
    acute_after: Criterion
    exposure_before: Criterion
    blasts_window: Criterion
    therapy_encounter_before: Criterion
    cytotoxic_order_before: Criterion
    benign_leukocytes_at_least: Criterion
    benign_neutrophils_below: Criterion
    adult_age: Criterion
    """In years."""
    statements: dict[str, str]
    """Which statement each judgement cites: leukopenia, thrombocytopenia, bicytopenia, secondary, primary, ..."""
    groups: tuple[CauseGroup, ...]
    card_when_not_evaluable: bool = False

    def group(self, group_id: str) -> CauseGroup:
        """The group with this id. Raises KeyError when the knowledge has none."""
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)
