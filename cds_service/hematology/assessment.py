"""The door of the domain: a clinical picture in, an assessment out. Pure: `as_of` is an argument."""

from datetime import UTC, datetime

from cds_service.hematology.bicytopenia import assess_bicytopenia
from cds_service.hematology.causes import assess_causes, known_findings
from cds_service.hematology.clinical_picture import ClinicalPicture, PatientFacts
from cds_service.hematology.count_history import CountHistory, newest_first, read_history
from cds_service.hematology.criteria import Criterion, Guideline
from cds_service.hematology.cytopenia import assess_leukopenia, assess_thrombocytopenia
from cds_service.hematology.downgrades import find_downgrades
from cds_service.hematology.importance import JudgedCounts, decide_alert
from cds_service.hematology.lab_results import Analyte, SetAside
from cds_service.hematology.low_counts import LowCounts
from cds_service.hematology.severity import assess_severity
from cds_service.hematology.verdicts import Assessment, Causes
from cds_service.hematology.windows import within


def assess(picture: ClinicalPicture, guideline: Guideline, as_of: datetime) -> Assessment:
    """Judge one patient's counts by the guideline as of a timezone-aware point in time.

    Raises ValueError where `as_of` has no timezone. Never raises on a picture: what can't be used is told in it.
    """
    if as_of.utcoffset() is None:
        raise ValueError("as_of needs a timezone")
    leukocytes, platelets, neutrophils = _histories(picture, guideline, as_of)
    judged = _judge((leukocytes, platelets, neutrophils), picture, guideline, as_of)
    low = LowCounts(judged.leukopenia, judged.thrombocytopenia)
    downgrades = find_downgrades(picture, low, judged.gravest, neutrophils, guideline)
    alert = decide_alert(judged, downgrades, guideline)
    causes = assess_causes(picture, low, judged.bicytopenia, guideline, as_of) if alert or low.any else Causes()
    return Assessment(
        as_of=as_of,
        leukopenia=judged.leukopenia,
        thrombocytopenia=judged.thrombocytopenia,
        bicytopenia=judged.bicytopenia,
        severity=judged.severity,
        causes=causes,
        alert=alert,
        picture=picture,
        not_used=_not_used(picture, (leukocytes, platelets), guideline, as_of),
        known=known_findings(picture, low),
        minor=_is_minor(picture.patient, guideline.adult_age, as_of),
    )


def _histories(
    picture: ClinicalPicture, guideline: Guideline, as_of: datetime
) -> tuple[CountHistory, CountHistory, CountHistory]:
    return (
        read_history(picture, Analyte.LEUKOCYTES, guideline.leukopenia_below, guideline, as_of),
        read_history(picture, Analyte.PLATELETS, guideline.thrombocytopenia_below, guideline, as_of),
        read_history(picture, Analyte.NEUTROPHILS, guideline.critical_neutrophils_below, guideline, as_of),
    )


def _judge(
    histories: tuple[CountHistory, CountHistory, CountHistory],
    picture: ClinicalPicture,
    guideline: Guideline,
    as_of: datetime,
) -> JudgedCounts:
    leukocytes, platelets, _ = histories
    leukopenia = assess_leukopenia(leukocytes, guideline, as_of)
    thrombocytopenia = assess_thrombocytopenia(platelets, guideline, as_of)
    return JudgedCounts(
        leukopenia=leukopenia,
        thrombocytopenia=thrombocytopenia,
        bicytopenia=assess_bicytopenia(leukopenia, thrombocytopenia, guideline),
        severity=assess_severity((leukopenia, thrombocytopenia), histories, picture.companions, guideline, as_of),
        leukocytes=leukocytes,
        platelets=platelets,
    )


def _not_used(
    picture: ClinicalPicture, histories: tuple[CountHistory, ...], guideline: Guideline, as_of: datetime
) -> tuple[SetAside, ...]:
    inside = [
        one for one in picture.set_aside if one.collected is None or within(one.collected, as_of, guideline.lookback)
    ]
    return newest_first([*inside, *(one for history in histories for one in history.undecided)])


def _is_minor(patient: PatientFacts, adult_age: Criterion, as_of: datetime) -> bool:
    """Under age on the day of `as_of` in UTC; not known is not said."""
    born = patient.born
    if born is None:
        return False
    today = as_of.astimezone(UTC).date()
    birthday_to_come = (today.month, today.day) < (born.month, born.day)
    return today.year - born.year - birthday_to_come < adult_age.value
