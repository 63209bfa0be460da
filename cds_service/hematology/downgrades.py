"""What makes a card less insistent: recent therapy, a known marrow disease, a benign variant. Never of critical."""

from collections.abc import Iterator
from datetime import date

from cds_service.hematology.bounds import is_below
from cds_service.hematology.clinical_picture import CauseMatch, ClinicalPicture, Downgrade, Use
from cds_service.hematology.count_history import CountHistory
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.evidence import of_condition, of_medication
from cds_service.hematology.low_counts import LowCounts
from cds_service.hematology.severity import newest_below
from cds_service.hematology.verdicts import Evidence, Finding, Verdict
from cds_service.hematology.windows import days_before

Downgrades = tuple[tuple[Downgrade, Evidence], ...]


def find_downgrades(
    picture: ClinicalPicture, low: LowCounts, leading: Finding, neutrophils: CountHistory, guideline: Guideline
) -> Downgrades:
    """The records that downgrade the leading finding (bicytopenia or leukopenia), by kind, each once."""
    if not (picture.conditions or picture.medications):
        return ()
    benign = leading is Finding.LEUKOPENIA and _benign_may_explain(low, neutrophils, guideline)
    found = [
        *_conditions(picture, low, guideline, benign=benign),
        *_medications(picture, low, guideline),
    ]
    kinds = list(Downgrade)
    return tuple(sorted(set(found), key=lambda entry: (kinds.index(entry[0]), entry[1].reference, entry[1].code)))


def _conditions(
    picture: ClinicalPicture, low: LowCounts, guideline: Guideline, *, benign: bool
) -> Iterator[tuple[Downgrade, Evidence]]:
    for condition in picture.conditions:
        for match in condition.matches:
            newest = _newest_low(match, low)
            if match.downgrade is None or newest is None:
                continue
            recent = _shortly_before(condition.dated, newest, guideline.therapy_encounter_before)
            if {Downgrade.THERAPY: recent, Downgrade.MARROW: True, Downgrade.BENIGN: benign}[match.downgrade]:
                yield match.downgrade, of_condition(condition, match)


def _medications(
    picture: ClinicalPicture, low: LowCounts, guideline: Guideline
) -> Iterator[tuple[Downgrade, Evidence]]:
    """Only a cytotoxic order downgrades; any of its dates may lie in the window."""
    for medication in picture.medications:
        for match in medication.matches:
            newest = _newest_low(match, low)
            if match.downgrade is not Downgrade.THERAPY or newest is None:
                continue
            if any(_shortly_before(day, newest, guideline.cytotoxic_order_before) for day in medication.dates):
                yield match.downgrade, of_medication(medication, match, low.first(match.affects))


def _newest_low(match: CauseMatch, low: LowCounts) -> date | None:
    """Only evidence rows downgrade: history-of rows never do."""
    return low.newest(match.affects) if match.use is Use.EVIDENCE else None


def _shortly_before(day: date | None, newest: date, window: Criterion) -> bool:
    return day is not None and 0 <= days_before(day, newest) <= window.days


def _benign_may_explain(low: LowCounts, neutrophils: CountHistory, guideline: Guideline) -> bool:
    """Isolated, leukocytes not too low, neutrophils not known to be, platelets known and not low."""
    newest = low.leukopenia.newest
    if newest is None or low.thrombocytopenia.verdict is not Verdict.ABSENT:
        return False
    counted = [one for one in neutrophils.occasions if not one.low_confidence]
    return (
        is_below(newest.result, guideline.benign_leukocytes_at_least.value) is False
        and newest_below(counted, guideline.benign_neutrophils_below) is None
    )
