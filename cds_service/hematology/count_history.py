"""What is known of one analyte inside the lookback: its occasions and what was reported but couldn't be read."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cds_service.hematology.bounds import is_below
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.clumping import mark_clumped
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.lab_results import Analyte, Comparator, CountResult, SetAside, SetAsideReason
from cds_service.hematology.occasions import gather_occasions
from cds_service.hematology.verdicts import Occasion, Side
from cds_service.hematology.windows import chronology, within

_USABLE = frozenset({Side.LOW, Side.NOT_LOW})


@dataclass(frozen=True)
class CountHistory:
    """One analyte inside the lookback, everything newest first.

    `unread`: reported but unreadable, with the bounds that decide nothing. `low_confidence`: estimates and capillary
    counts, whether or not they count in a run.
    """

    analyte: Analyte
    limit: Criterion
    occasions: tuple[Occasion, ...] = ()
    unread: tuple[SetAside, ...] = ()
    undecided: tuple[SetAside, ...] = ()
    low_confidence: tuple[CountResult, ...] = ()

    @property
    def usable(self) -> tuple[Occasion, ...]:
        """The occasions that may decide: on one side of the limit, reliable, no mere estimate."""
        return tuple([one for one in self.occasions if is_usable(one)])


def is_usable(occasion: Occasion) -> bool:
    """Whether an occasion may decide a verdict, break a run, or be compared with."""
    return occasion.side in _USABLE and not occasion.low_confidence


def read_history(
    picture: ClinicalPicture, analyte: Analyte, limit: Criterion, guideline: Guideline, as_of: datetime
) -> CountHistory:
    """The history of one analyte, judged against `limit`."""
    recorded = mark_clumped(picture.counts_of(analyte), picture.clumping, guideline.clumping_before_hours)
    counts = [count for count in recorded if within(count.collected, as_of, guideline.lookback)]
    undecided = tuple([_undecided(count) for count in counts if is_below(count, limit.value) is None])
    unread = [one for one in (*picture.set_aside, *undecided) if one.analyte is analyte and one.unreadable]
    return CountHistory(
        analyte=analyte,
        limit=limit,
        occasions=tuple(gather_occasions(counts, limit, guideline.same_specimen_hours)),
        unread=newest_first(unread),
        undecided=undecided,
        low_confidence=tuple(sorted([c for c in counts if c.low_confidence], key=_chronology_of_count, reverse=True)),
    )


def newest_first(results: list[SetAside]) -> tuple[SetAside, ...]:
    """Results set aside, newest first, undated last; of one time in the order of their references."""
    if not results:
        return ()
    by_reference = sorted(results, key=lambda one: (one.reference, one.analyte))
    return tuple(sorted(by_reference, key=_latest, reverse=True))


def _latest(result: SetAside) -> datetime:
    return chronology(result.collected) if result.collected else datetime.min.replace(tzinfo=UTC)


def _chronology_of_count(count: CountResult) -> tuple[datetime, str]:
    return chronology(count.collected), count.reference


def _undecided(count: CountResult) -> SetAside:
    """A bound on the wrong side of the limit. An estimate never decides, so an undecided one spoils nothing."""
    sign = (
        ""
        if count.comparator is Comparator.EXACT or count.reported_value.startswith(count.comparator)
        else count.comparator
    )
    return SetAside(
        reference=count.reference,
        analyte=count.analyte,
        reason=SetAsideReason.BOUND_UNDECIDED,
        collected=count.collected,
        reported=f"{sign}{count.reported_value} {count.reported_unit}".strip(),
        unreadable=not count.low_confidence,
    )
